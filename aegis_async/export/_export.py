"""The export as one call: what was asked for is checked, the folder claimed, and a run begun."""

from asyncio import CancelledError
from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aegis_async._arguments import choice, integer
from aegis_async._resources.data_collections import DataCollections, get_bodies
from aegis_async.errors import InvalidArgumentError
from aegis_async.export._folder import claim
from aegis_async.export._report import ExportReport, Progress
from aegis_async.export._sinks import RAW, SINKS
from aegis_async.export._source import GivenIds, IdSource, ListedIds
from aegis_async.export._threads import off_loop

if TYPE_CHECKING:
    from aegis_async._client import AegisClient
    from aegis_async.export._run import Run

__all__ = ["export"]

_PAGE_SIZE: Final = 100  # a larger page blocks the loop for longer than 20 ms
_PREFETCH: Final = 2


async def export(  # noqa: PLR0913 - each is an option of its own, and keyword-only
    client: "AegisClient",
    out: str | PathLike[str],
    *,
    format: str | Sequence[str] = "parquet",  # noqa: A002 - the name of the CLI's option
    ids: Iterable[int] | None = None,
    shared: bool | None = None,
    concurrency: int = 8,
    batch_bytes: int = 16 << 20,
    progress: Callable[[Progress], object] | None = None,
) -> ExportReport:
    """Write every collection with its datasets, runs and evaluations into a folder.

    The folder is new, empty, or holds an earlier export, which this one replaces when it commits. A run
    that ends early, by cancellation or an error, leaves an earlier export as it was; in a new folder it
    commits what it has, unless the folder cannot be written to. Either way no half file is left,
    ``_report.json`` says what there is, and the cancellation or error goes on to the caller.

    Args:
        client: The client to fetch with.
        out: The folder.
        format: One format, or several: ``"parquet"``. The bodies as they came are kept beside them anyway.
        ids: The collections to fetch, each once; all that are listed when None.
        shared: True for those shared with the account, False for its own, None for all it can see.
        concurrency: How many collections are fetched at a time.
        batch_bytes: The size of bodies from which a batch is written. Two batches are in memory at most,
            whatever the size of the account.
        progress: Called in the event loop after each collection; an exception that it raises ends the export.

    Returns:
        The report. Its status is ``"partial"`` when something is missing or was set aside, or when the
        listing does not show that it was all.

    Raises:
        InvalidArgumentError: ``out`` holds other files, or an argument is out of its bounds.
        ExportError: The disk is full, the folder cannot be written to, or pyarrow is not installed.
        AegisError: The listing failed, or the service refused the key.
    """
    formats = _formats(format)
    integer("batch_bytes", batch_bytes, minimum=1)
    source = _source(client.data_collections, ids, shared)
    bodies = get_bodies(client.data_collections, source.ids(), concurrency=concurrency, shared=shared)
    run = await off_loop(_begun, Path(out), formats, batch_bytes, source, progress)
    try:
        await run.fetch(bodies)
        return await run.complete()
    except (CancelledError, Exception) as error:
        await run.end_early(error)
        raise
    finally:
        run.close()


def _source(collections: DataCollections, ids: Iterable[int] | None, shared: bool | None) -> IdSource:  # noqa: FBT001 - the service's own parameter
    if ids is None:
        return ListedIds(collections.list(page_size=_PAGE_SIZE, prefetch=_PREFETCH, shared=shared))
    if isinstance(ids, str | bytes) or not isinstance(ids, Iterable):
        raise InvalidArgumentError(f"ids must be an iterable of integers, not {type(ids).__name__}")
    return GivenIds(ids)


def _begun(
    out: Path,
    formats: tuple[str, ...],
    batch_bytes: int,
    source: IdSource,
    progress: Callable[[Progress], object] | None,
) -> "Run":
    for name in formats:
        SINKS[name].require()
    RAW.require()
    from aegis_async.export._run import Output, Run  # noqa: PLC0415 - imports pyarrow, which is an extra and slow

    return Run(Output(claim(out), formats, batch_bytes), source, progress)


def _formats(given: str | Sequence[str]) -> tuple[str, ...]:
    formats = tuple(dict.fromkeys((given,) if isinstance(given, str) else given))
    if not formats:
        raise InvalidArgumentError(f"format must name at least one of {', '.join(SINKS)}")
    for name in formats:
        choice("format", name, SINKS)
    return formats
