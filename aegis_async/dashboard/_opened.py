"""What tabs open over the service: whole collections, from the client's cache unless they changed since."""

import asyncio
from typing import Final

from aegis_async._cache import Aged
from aegis_async._client import AegisClient
from aegis_async._clock import Clock
from aegis_async._resources.data_collections import get_since
from aegis_async.dashboard._details import EVALUATIONS_PAGE, evaluation_row
from aegis_async.dashboard._facts import facts_of
from aegis_async.dashboard._source import Evaluations, Found
from aegis_async.errors import AegisError, AuthenticationError, NotFoundError, PermissionDeniedError
from aegis_async.models import DataCollection

__all__ = ["Opened"]

_DEADLINE: Final = 20.0  # seconds that a tab waits for a collection


class Opened:
    """Asks the client for what the drill-down shows, and never shows less than is known.

    Args:
        client: Whom to ask.
        clock: The time by which changes are noted.
    """

    def __init__(self, client: AegisClient, clock: Clock) -> None:
        self._collections = client.with_options(deadline=_DEADLINE).data_collections
        self._clock = clock
        self._changed_at: dict[int, float] = {}

    def changed(self, collection_id: int) -> None:
        """Note that a collection changed: what was kept before is old from now on."""
        self._changed_at[collection_id] = self._clock.monotonic()

    def forget(self, collection_id: int) -> None:
        """Note that a collection is gone."""
        self._changed_at.pop(collection_id, None)

    async def collection(self, collection_id: int) -> Found:
        """Give one collection.

        Raises:
            AegisError: There is none, or it cannot be had.
        """
        return await _found(await self._aged(collection_id))

    async def evaluations(self, collection_id: int, run_id: int, page: int) -> Evaluations:
        """Give a page of a run's evaluations.

        Raises:
            AegisError: There is no such collection, or it cannot be had.
        """
        aged = await self._aged(collection_id)
        found = await _found(aged)
        run = next((run for run in aged.value.runs if run.id == run_id), None)
        if run is None:
            return Evaluations(found, (), 0)
        ordered = sorted(run.evaluations, key=lambda each: each.id)
        chosen = ordered[(page - 1) * EVALUATIONS_PAGE : page * EVALUATIONS_PAGE]
        return Evaluations(found, tuple(map(evaluation_row, chosen)), len(ordered))

    async def _aged(self, collection_id: int) -> Aged[DataCollection]:
        aged = await self._collections.get_with_age(collection_id)
        changed = self._changed_at.get(collection_id)
        if changed is None or self._clock.monotonic() - aged.age >= changed:
            return aged
        try:
            return await get_since(self._collections, collection_id, changed)  # all tabs together, not each by itself
        except (NotFoundError, AuthenticationError, PermissionDeniedError):
            raise
        except AegisError:  # known to be old, and better than nothing
            return Aged(aged.value, aged.age, stale=True)


async def _found(aged: Aged[DataCollection]) -> Found:
    return Found(await asyncio.to_thread(facts_of, aged.value), aged.age, aged.stale)
