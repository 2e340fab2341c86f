"""A source that holds what a test gives it, with names that somebody hostile wrote."""

from collections.abc import Iterable
from typing import Final

from aegis_async.dashboard import Bell, CollectionFacts, Evaluations, Found, State
from aegis_async.dashboard._details import EvaluationRow
from aegis_async.errors import NotFoundError
from tests.dashboard.serving import collection_facts, run_facts

__all__ = ["HOSTILE", "FixedSource", "hostile_book"]

HOSTILE: Final = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>'\"&amp;"


def hostile_book() -> tuple[CollectionFacts, ...]:
    """Give an account whose every name is hostile."""
    run = run_facts(1, model=HOSTILE, alias=HOSTILE, passed=False, scores={HOSTILE: 1.0, "faith": 2.0})
    return (collection_facts(1, [run], HOSTILE),)


class FixedSource:
    """A source without a service.

    Args:
        book: Its collections.
    """

    def __init__(self, book: tuple[CollectionFacts, ...]) -> None:
        self.bell = Bell()
        self._book = {facts.id: facts for facts in book}

    def state(self) -> State:
        """Give a state without a flaw."""
        return State("live", "fixed-1", 0.0, 0.001, None, len(self._book), 0, None)

    def book(self) -> Iterable[CollectionFacts]:
        """Give everything."""
        return tuple(self._book.values())

    async def collection(self, collection_id: int) -> Found:
        """Give one collection."""
        if collection_id not in self._book:
            raise NotFoundError(f"no collection {collection_id}")
        return Found(self._book[collection_id], 0.0, stale=False)

    async def evaluations(self, collection_id: int, run_id: int, page: int) -> Evaluations:
        """Give one evaluation."""
        del run_id, page
        row = EvaluationRow(1, 2, 3, 4.0, 5.0, passed=False, explanation=HOSTILE, cost="0.1", seconds=1.0)
        return Evaluations(await self.collection(collection_id), [row], 1)
