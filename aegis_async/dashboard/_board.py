"""The questions that the page asks, each answered once for all tabs until the numbers change."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, date, datetime
from typing import Final, TypeVar

import msgspec

from aegis_async.dashboard._details import CollectionDetail, RunDetail, collection_detail, run_detail
from aegis_async.dashboard._facts import CollectionFacts
from aegis_async.dashboard._lists import collections_page, rows_of, runs_below
from aegis_async.dashboard._overview import overview
from aegis_async.dashboard._source import Source
from aegis_async.dashboard._spans import Span, period
from aegis_async.dashboard._tally import Cube, tallied
from aegis_async.errors import NotFoundError

__all__ = ["Board"]

T = TypeVar("T")

_KEPT: Final = 64  # answers


class Board:
    """Answers over one source; the numbers are added up in a thread, once for each version of them.

    Args:
        source: Where the numbers come from.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._lock = asyncio.Lock()
        self._version = ""
        self._answers: OrderedDict[Hashable, object] = OrderedDict()

    async def overview(self, days: int | None, span: Span | None) -> bytes:
        """Give the overview as JSON."""
        cube, today = await self._cube(), _today()
        return await self._once(
            ("overview", today, days, span), lambda _: msgspec.json.encode(overview(cube, today, days, span))
        )

    async def below(self, page: int, days: int | None) -> bytes:
        """Give a page of the runs below their threshold as JSON."""
        within = period((await self._cube()).last(_today()), days)
        return await self._once(
            ("below", page, within), lambda book: msgspec.json.encode(runs_below(book, page, within))
        )

    async def collections(self, page: int, search: str) -> bytes:
        """Give a page of collections as JSON."""
        return await self._once(
            ("collections", page, search), lambda book: msgspec.json.encode(collections_page(book, page, search))
        )

    async def collection(self, collection_id: int) -> CollectionDetail:
        """Give one collection with its runs."""
        return collection_detail(*await self.source.collection(collection_id))

    async def run(self, collection_id: int, run_id: int, page: int) -> RunDetail:
        """Give one run with a page of its evaluations.

        Raises:
            NotFoundError: The collection has no such run.
        """
        found, rows, total = await self.source.evaluations(collection_id, run_id, page)
        row = next((row for row in rows_of(found.facts) if row.id == run_id), None)
        if row is None:
            raise NotFoundError(f"collection {collection_id} has no run {run_id}")
        return run_detail(row, page, total, rows, found.age, found.stale)

    async def _cube(self) -> Cube:
        return await self._once("cube", tallied)

    async def _once(self, question: Hashable, work: Callable[[Iterable[CollectionFacts]], T]) -> T:
        async with self._lock:  # a thousand tabs that ask the same wait for one answer
            version = self.source.state().version
            if version != self._version:
                self._answers.clear()
                self._version = version
            if question not in self._answers:
                self._answers[question] = await asyncio.to_thread(work, self.source.book())
                while len(self._answers) > _KEPT:
                    self._answers.popitem(last=False)
            self._answers.move_to_end(question)
            return self._answers[question]  # type: ignore[return-value]  # the question tells the type


def _today() -> date:
    return datetime.now(UTC).date()
