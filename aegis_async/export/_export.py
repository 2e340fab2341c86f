"""The export as one call: what was asked for is checked, the folder claimed, and a run begun."""

from asyncio import CancelledError
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, Literal

from aegis_async._arguments import choice, integer
from aegis_async._clock import Clock
from aegis_async.errors import InvalidArgumentError
from aegis_async.export._asked import Asked, EngineName
from aegis_async.export._engines import check_engine, made_engine, require_engine
from aegis_async.export._folder import claim
from aegis_async.export._keys import checked_keys, see_the_same
from aegis_async.export._outage import Outage, ask
from aegis_async.export._output import Output, Plan
from aegis_async.export._report import ExportReport, Progress
from aegis_async.export._sinks import require
from aegis_async.export._source import GivenIds, IdSource, ListedIds
from aegis_async.export._tally import Tally
from aegis_async.export._target import formats_of, place_of
from aegis_async.export._threads import off_loop

if TYPE_CHECKING:
    from aegis_async._client import AegisClient

__all__ = ["export"]


async def export(  # noqa: PLR0913 - each is an option of its own, and keyword-only
    client: "AegisClient",
    out: str | PathLike[str],
    *,
    format: str | Sequence[str] = "parquet",  # noqa: A002 - the name of the CLI's option
    to: str | None = None,
    ids: Iterable[int] | None = None,
    shared: bool | None = None,
    full: bool = False,
    deleted: Literal["keep", "drop"] = "keep",
    concurrency: int = 8,
    batch_bytes: int = 16 << 20,
    stream_above: int = 2 << 20,
    max_outage: float = 1800.0,
    engine: EngineName = "local",
    workers: int | None = None,
    address: str | None = None,
    keys: Iterable[str] = (),
    progress: Callable[[Progress], object] | None = None,
) -> ExportReport:
    """Write every collection with its datasets, runs and evaluations into a folder or an object store.

    The folder is new, empty, or holds an earlier export, which this one takes up: what has not changed since
    is not fetched again, and a run that was killed goes on where its last commit was. A run that ends early, by
    cancellation or an error, commits what it has fetched, unless it cannot be written; ``_report.json`` says what
    there is, and the cancellation or error goes on to the caller.

    Args:
        client: The client to fetch with.
        out: The folder, or a URL as ``"s3://bucket/prefix"``, whose credentials come from the environment. Formats
            that are database files or Delta tables need a folder.
        format: One format, or several. The bodies as they came are kept beside them anyway.
        to: The address of the database, for ``"postgres"`` and nothing else: ``"postgresql://user@host/name"``. A
            password is better kept in ``~/.pgpass`` or ``PGPASSWORD``.
        ids: The collections to fetch, each once, whether they have changed or not; all that are listed when None.
        shared: True for those shared with the account, False for its own, None for all it can see.
        full: Whether to fetch what has not changed too.
        deleted: What becomes of the rows of a collection that a complete listing no longer has, and that the
            service answers 404 for: they stay, or they are dropped.
        concurrency: How many collections are fetched at a time.
        batch_bytes: The size of bodies from which a batch is written. Two batches are in memory at most,
            whatever the size of the account.
        stream_above: The size of a body in bytes above which a collection is fetched by itself and converted run by
            run. Twice ``concurrency`` bodies of up to this size may be in memory, and one that is larger: up to 2 GiB,
            whatever the client's ``max_body_size``.
        max_outage: Seconds for which a service that does not answer is waited for.
        engine: ``"ray"`` has workers on a Ray cluster fetch, convert and write, while this process walks the listing
            and commits; it needs the extra ``ray``, and formats of files alone. ``concurrency``, and the client's
            ``max_concurrency`` and ``rate_limit``, then hold for all workers together.
        workers: How many workers; as many as the cluster has CPUs when None, and never more than ``concurrency``.
        address: Where the cluster is, as ``"auto"`` or ``"10.0.0.1:6379"``; when None, ``RAY_ADDRESS``, or else one
            that begins on this machine and ends with the export.
        keys: Further keys of the same account, for ``engine="ray"``: each has a rate and a concurrency as the client
            has, and workers of its own. The listing goes with the client's key.
        progress: Called in the event loop after each collection that was fetched, and now and then of those that have
            not changed; an exception that it raises ends the export.

    Returns:
        The report. Its status is ``"partial"`` when something is missing or was set aside, or when the
        listing does not show that it was all.

    Raises:
        InvalidArgumentError: ``out`` holds other files, or an argument is out of its bounds.
        ExportError: The disk is full, the folder cannot be written to, the service did not answer for too long,
            or a package is not installed; the text says which.
        ConfigurationError: One of ``keys`` can be none, or comes twice; the text never holds it.
        AegisError: The listing failed, or the service refused a key.
    """
    formats = formats_of(format, to)
    choice("deleted", deleted, ("keep", "drop"))
    integer("batch_bytes", batch_bytes, minimum=1)
    integer("stream_above", stream_above, minimum=1)
    if progress is not None and not callable(progress):
        raise InvalidArgumentError(f"progress must be callable or None, not {progress!r}")
    asked = Asked(
        engine=engine,
        workers=workers,
        address=address,
        concurrency=concurrency,
        shared=shared,
        batch_bytes=batch_bytes,
        stream_above=stream_above,
        max_outage=_seconds("max_outage", max_outage),
        keys=checked_keys(client, keys),
    )
    check_engine(client, asked, formats)
    await see_the_same(client, asked.keys, shared=shared)
    client = client.with_options(priority="bulk")
    outage = Outage(asked.max_outage, partial(ask, client), Clock())
    source = _source(client, ids, shared, outage)
    plan = Plan(out, formats, batch_bytes, full, deleted == "drop", place_of(out, formats, to))
    output = await _open(plan, source.intent, engine)
    from aegis_async.export._run import Run  # noqa: PLC0415 - imported in the thread above
    from aegis_async.export._writer import BatchWriter  # noqa: PLC0415 - as above

    writer = BatchWriter(output.sinks, batch_bytes, anew=full or source.listed is None)
    fetching = made_engine(client, output, writer, outage, asked)
    run = Run(output, source, fetching, writer, Tally(progress))
    try:
        async with fetching:
            await run.fetch()
        return await run.complete()
    except (CancelledError, Exception) as error:
        await run.end_early(error)
        raise


def _source(
    client: "AegisClient",
    ids: Iterable[int] | None,
    shared: bool | None,  # noqa: FBT001 - the service's own parameter
    outage: Outage,
) -> IdSource:
    if ids is None:
        return ListedIds(client.data_collections, shared, outage.outlast)
    if isinstance(ids, str | bytes) or not isinstance(ids, Iterable):
        raise InvalidArgumentError(f"ids must be an iterable of integers, not {type(ids).__name__}")
    return GivenIds(ids)


async def _open(plan: Plan, intent: str, engine: EngineName) -> Output:
    """Open what is written to, or nothing at all when it is cancelled meanwhile."""
    made: list[Output] = []
    try:
        await off_loop(lambda: made.append(_opened(plan, intent, engine)))
    except CancelledError:
        for output in made:
            await off_loop(output.close)
        raise
    return made[0]


def _opened(plan: Plan, intent: str, engine: EngineName) -> Output:
    require(plan.formats)
    # What comes with an extra is slow to import: in this thread, where the loop does not wait for it.
    require_engine(engine)
    from aegis_async.export._arrow import warm_up  # noqa: PLC0415 - as said

    warm_up()
    return Output(claim(plan.out), plan, f"{intent} full" if plan.full else intent)


def _seconds(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise InvalidArgumentError(f"{name} must be a number of seconds from 0, not {value!r}")
    return float(value)
