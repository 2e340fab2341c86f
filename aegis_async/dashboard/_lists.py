"""The lists: runs that fell below their threshold, and collections, one page at a time."""

import heapq
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final, Generic, TypeVar

from msgspec import Struct

from aegis_async.dashboard._facts import CollectionFacts, RunFacts, digits
from aegis_async.dashboard._spans import Period
from aegis_async.dashboard._tally import day_of

__all__ = [
    "MOST_PAGES",
    "PAGE_SIZE",
    "CollectionRow",
    "ListPage",
    "RunRow",
    "collections_page",
    "pages",
    "rows_of",
    "runs_below",
]

T = TypeVar("T")

PAGE_SIZE: Final = 25
MOST_PAGES: Final = 1_000  # a page is found by holding all that come before it


class RunRow(Struct, frozen=True, gc=False):
    """One run in a list.

    Attributes:
        id: The run's id.
        collection_id: The collection that holds it.
        collection: That collection's name.
        model: Its model; None where the service has none.
        alias: A name that somebody gave it.
        started_at: When it began.
        seconds: How long it took; None when it has no end.
        result: Its score.
        threshold: The score from which it passes.
        passed: Whether it did; None when it is not judged.
        fell: Whether it failed and the judged run before it in the same collection had passed.
        cost: The sum of its evaluations' costs, decimal digits.
        metered: Evaluations whose cost is known.
        evaluations: All of its evaluations.
        evaluations_judged: Evaluations with a result.
        evaluations_passed: Evaluations that reached their threshold.
        scores: Metric to score.
    """

    id: int
    collection_id: int
    collection: str
    model: str | None
    alias: str | None
    started_at: datetime
    seconds: float | None
    result: float | None
    threshold: float
    passed: bool | None
    fell: bool
    cost: str
    metered: int
    evaluations: int
    evaluations_judged: int
    evaluations_passed: int
    scores: dict[str, float]


class CollectionRow(Struct, frozen=True, gc=False):
    """One collection in a list.

    Attributes:
        id: The collection's id.
        name: Its name.
        author: Its author's e-mail address, where known.
        runs: Its runs.
        judged: Runs with a result.
        passed: Runs that reached their threshold.
        last_run_at: When its last run began; None when it has none.
        last_result: The result of its last judged run.
        last_passed: Whether that one reached its threshold.
    """

    id: int
    name: str
    author: str | None
    runs: int
    judged: int
    passed: int
    last_run_at: datetime | None
    last_result: float | None
    last_passed: bool | None


class ListPage(Struct, Generic[T], frozen=True, gc=False):
    """The answer of ``api/below`` and of ``api/collections``.

    Attributes:
        page: Its number, from 1.
        pages: How many there are, at most 1000.
        total: Runs, or collections, in all of them.
        items: At most 25: the latest runs first, or the collections with the latest run.
    """

    page: int
    pages: int
    total: int
    items: tuple[T, ...]


def runs_below(book: Iterable[CollectionFacts], page: int = 1, within: Period = Period()) -> ListPage[RunRow]:  # noqa: B008 - frozen
    """Give a page of the runs that did not reach their threshold, those of a period, the latest first."""
    fates = ((run, collection, fell) for collection in book for run, fell in _fates(collection))
    below = (each for each in fates if each[0].passed is False and day_of(each[0]) in within)
    total, chosen = _page(below, page, key=lambda found: (found[0].started_at.timestamp(), found[0].id))
    return ListPage(page, pages(total, PAGE_SIZE), total, tuple(_row(*each) for each in chosen))


def collections_page(book: Iterable[CollectionFacts], page: int = 1, search: str = "") -> ListPage[CollectionRow]:
    """Give a page of the collections whose name holds ``search`` or whose id it is, the latest run first."""
    wanted = search.strip().casefold()
    found = (each for each in book if wanted in each.name.casefold() or wanted == str(each.id))
    total, chosen = _page(found, page, key=lambda each: (_last_start(each), each.id))
    return ListPage(page, pages(total, PAGE_SIZE), total, tuple(map(_collection_row, chosen)))


def _row(run: RunFacts, collection: CollectionFacts, fell: bool) -> RunRow:  # noqa: FBT001 - a field
    """Give a run as a list shows it."""
    return RunRow(
        id=run.id,
        collection_id=collection.id,
        collection=collection.name,
        model=run.model,
        alias=run.alias,
        started_at=run.started_at,
        seconds=run.seconds,
        result=run.result,
        threshold=run.threshold,
        passed=run.passed,
        fell=fell,
        cost=digits(run.cost),
        metered=run.metered,
        evaluations=run.evaluations,
        evaluations_judged=run.judged,
        evaluations_passed=run.reached,
        scores=dict(run.scores),
    )


def rows_of(collection: CollectionFacts) -> Iterator[RunRow]:
    """Give a collection's runs as a list shows them, oldest first."""
    return (_row(run, collection, fell) for run, fell in _fates(collection))


def _fates(collection: CollectionFacts) -> Iterator[tuple[RunFacts, bool]]:
    """Yield each run, oldest first, and whether it fell."""
    before: bool | None = None
    for run in collection.runs:
        yield run, run.passed is False and before is True
        before = before if run.passed is None else run.passed


def _collection_row(collection: CollectionFacts) -> CollectionRow:
    judged = [run for run in collection.runs if run.passed is not None]
    last = judged[-1] if judged else None
    return CollectionRow(
        id=collection.id,
        name=collection.name,
        author=collection.author,
        runs=len(collection.runs),
        judged=len(judged),
        passed=sum(run.passed is True for run in judged),
        last_run_at=collection.runs[-1].started_at if collection.runs else None,
        last_result=last.result if last else None,
        last_passed=last.passed if last else None,
    )


def _last_start(collection: CollectionFacts) -> float:
    return collection.runs[-1].started_at.timestamp() if collection.runs else float("-inf")


def _page(found: Iterable[T], page: int, key: Callable[[T], tuple[float, int]]) -> tuple[int, list[T]]:
    """Count everything, and keep in memory no more than what comes up to the end of the page."""
    total = 0

    def counted() -> Iterator[T]:
        nonlocal total
        for each in found:
            total += 1
            yield each

    best = heapq.nlargest(page * PAGE_SIZE, counted(), key=key)
    return total, best[(page - 1) * PAGE_SIZE :]


def pages(total: int, size: int) -> int:
    """Give the number of pages of so many items that can be asked for; nothing is one empty page."""
    return min(max(1, -(-total // size)), MOST_PAGES)
