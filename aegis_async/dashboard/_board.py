"""The questions that the page asks, each answered once for all tabs until the numbers change."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, date, datetime
from typing import Final, NamedTuple, TypeAlias

import msgspec
from msgspec import Struct

from aegis_async.dashboard._details import CollectionDetail, RunDetail, collection_detail, run_detail
from aegis_async.dashboard._facts import CollectionFacts
from aegis_async.dashboard._lists import collections_page, rows_of, runs_below
from aegis_async.dashboard._overview import overview
from aegis_async.dashboard._source import Source
from aegis_async.dashboard._spans import Span, period
from aegis_async.dashboard._tally import Cube, tallied
from aegis_async.errors import ExportError, NotFoundError

__all__ = ["Answer", "Board"]

Work: TypeAlias = Callable[[Cube, Iterable[CollectionFacts], date], Struct]

_KEPT: Final = 64  # answers


class Answer(NamedTuple):
    """An answer, and of which numbers.

    Attributes:
        version: Of the numbers, and the day: the same question asks for another time tomorrow.
        body: JSON.
    """

    version: str
    body: bytes


class Board:
    """Answers over one source; the numbers are added up in a thread, once for each version of them.

    Args:
        source: Where the numbers come from.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._lock = asyncio.Lock()
        self._version = ""
        self._today = _today()
        self._cube: Cube | None = None
        self._answers: OrderedDict[Hashable, bytes] = OrderedDict()

    def version(self) -> str:
        """Give the version that an answer would have now."""
        return _version(self.source, _today())

    async def overview(self, days: int | None, span: Span | None) -> Answer:
        """Give the overview."""
        return await self._answer(("overview", days, span), lambda cube, _, today: overview(cube, today, days, span))

    async def below(self, page: int, days: int | None) -> Answer:
        """Give a page of the runs below their threshold."""
        return await self._answer(
            ("below", page, days), lambda cube, book, today: runs_below(book, page, period(cube.last(today), days))
        )

    async def collections(self, page: int, search: str) -> Answer:
        """Give a page of collections."""
        return await self._answer(
            ("collections", page, search), lambda _cube, book, _today: collections_page(book, page, search)
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

    async def _answer(self, question: Hashable, work: Work) -> Answer:
        async with self._lock:  # a thousand tabs that ask the same wait for one answer
            while True:
                version = self._current()
                try:
                    if question not in self._answers:
                        await self._add_up(question, work)
                except ExportError:
                    if version == self.version():
                        raise
                    continue  # a later export took the files away
                self._answers.move_to_end(question)
                return Answer(version, self._answers[question])

    def _current(self) -> str:
        today = _today()
        version = _version(self.source, today)
        if version != self._version:
            self._answers.clear()
            self._version, self._today, self._cube = version, today, None
        return version

    async def _add_up(self, question: Hashable, work: Work) -> None:
        cube, today = self._cube, self._today
        first, second = self.source.book(), self.source.book()  # both of the same version

        def added() -> tuple[Cube, bytes]:
            whole = tallied(first) if cube is None else cube
            return whole, msgspec.json.encode(work(whole, second, today))

        self._cube, self._answers[question] = await asyncio.to_thread(added)
        while len(self._answers) > _KEPT:
            self._answers.popitem(last=False)


def _version(source: Source, today: date) -> str:
    return f"{source.state().version}-{today}"


def _today() -> date:
    return datetime.now(UTC).date()
