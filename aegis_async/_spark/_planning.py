"""Which collections there are to read, and which partition reads which."""

import logging
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from aegis_async._client import AegisClient
from aegis_async._resources.data_collections import list_items
from aegis_async._spark._options import Options
from aegis_async._spark._selection import Condition, chosen, named
from aegis_async.errors import ExportError
from aegis_async.export._source import key_of

__all__ = ["parts", "planned", "rate_of_each"]

log = logging.getLogger("aegis_async")

_IDS: Final = 100  # of a partition: what a failed task costs again
_PARTITIONS: Final = 200  # at most, as many as Spark itself makes of a shuffle
_PREFETCH: Final = 2


async def planned(options: Options, conditions: Sequence[Condition]) -> list[int]:
    """Give the ids of the collections to read, ascending.

    Conditions that name their ids need no listing, unless ``shared`` makes it the one to say who may see what.

    Raises:
        ExportError: The listing is not proven complete, and the options do not allow that.
        AegisError: The service does not answer, or refuses the key.
    """
    async with options.client(options.rate_limit) as client:
        ids = named(conditions) if options.shared is None else None
        if ids is None:
            return chosen(await _listed(client, options), conditions)
        # A wrong key or address must not look like collections that are not there.
        await client.data_collections.list(page_size=1, max_pages=1).first()
        return chosen(ids, conditions)


def parts(ids: Sequence[int], wanted: int | None) -> list[tuple[int, ...]]:
    """Cut ascending ids into ranges of equal size; at least one, be it empty.

    Args:
        ids: The ids.
        wanted: How many ranges; None lets their number follow from that of the ids.
    """
    number = wanted or min(-(-len(ids) // _IDS), _PARTITIONS)
    number = max(1, min(number, len(ids)))
    bounds = [len(ids) * part // number for part in range(number + 1)]
    return [tuple(ids[start:end]) for start, end in pairwise(bounds)]


def rate_of_each(options: Options, partitions: int) -> float | None:
    """Give the requests per second of each of those partitions that run at the same time."""
    if options.rate_limit is None:
        return None
    return options.rate_limit / min(partitions, options.parallelism or partitions)


async def _listed(client: AegisClient, options: Options) -> list[int]:
    listing = list_items(
        client.data_collections, key_of, page_size=options.page_size, prefetch=_PREFETCH, shared=options.shared
    )
    keys = [key_of(item) async for item in listing]
    ids = [key for key in keys if isinstance(key, int)]
    unreadable = len(keys) - len(ids)
    if unreadable:
        _incomplete(options, f"{unreadable} of its items show no id")
    elif not listing.report.complete:
        _incomplete(options, listing.report.reason)
    return ids


def _incomplete(options: Options, reason: str) -> None:
    text = f"the listing is not proven complete: {reason}"
    if options.on_incomplete == "raise":
        raise ExportError(f"{text}; the option on_incomplete=warn reads what it showed")
    log.warning("%s; what it showed is read", text)
