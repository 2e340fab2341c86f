"""The seam to ``client.data_collections.watch``: until it is there, a poller of the same shape."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from aegis_async._client import AegisClient
from aegis_async._clock import Clock
from aegis_async.errors import AuthenticationError, NotFoundError, PermissionDeniedError, RequestError, StatusError
from aegis_async.models import DataCollectionSummary

__all__ = ["Added", "Change", "Changed", "Removed", "watch"]

_log: Final = logging.getLogger("aegis_async")


@dataclass(frozen=True, slots=True)
class Added:
    """A collection that was not there at the last look."""

    id: int
    summary: DataCollectionSummary


@dataclass(frozen=True, slots=True)
class Changed:
    """A collection that is not as it was at the last look."""

    id: int
    summary: DataCollectionSummary


@dataclass(frozen=True, slots=True)
class Removed:
    """A collection that is gone: a complete listing lacks it, and the service answers 404 on its id."""

    id: int


Change: TypeAlias = Added | Changed | Removed


async def watch(client: AegisClient, interval: float, clock: Clock) -> AsyncIterator[Change]:
    """Look at the listing every ``interval`` seconds and give what changed; the first look adds everything."""
    known: dict[int, DataCollectionSummary] = {}
    while True:
        try:
            async for change in _look(client, known):
                yield change
        except (AuthenticationError, PermissionDeniedError):
            raise
        except (RequestError, StatusError) as error:  # the next look may find the service well again
            _log.debug("cannot look at the listing: %s", error)
        await clock.sleep(interval * (0.9 + 0.2 * clock.random()))


async def _look(client: AegisClient, known: dict[int, DataCollectionSummary]) -> AsyncIterator[Change]:
    listed: set[int] = set()
    async for summary in client.with_options(priority="bulk").data_collections.list(page_size=100):
        listed.add(summary.id)
        before, known[summary.id] = known.get(summary.id), summary
        if before is None:
            yield Added(summary.id, summary)
        elif before != summary:
            yield Changed(summary.id, summary)
    for collection_id in known.keys() - listed:
        if await _is_gone(client, collection_id):
            del known[collection_id]
            yield Removed(collection_id)


async def _is_gone(client: AegisClient, collection_id: int) -> bool:
    try:
        await client.data_collections.get(collection_id, fresh=True)
    except NotFoundError:
        return True
    return False
