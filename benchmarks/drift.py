"""How often a listing that moves loses items: a service in memory, and histories of insertions and deletions.

``python -m benchmarks.drift`` prints the tables of ``docs/completeness.md``. The tests walk histories of the same
service, so that what is measured is what is tested.
"""

import asyncio
import logging
from collections.abc import Callable, Container, Hashable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final

from aegis_async._pagination import Cursor, Listing, ListingReport, OnDrift, Paginator, Place, Prefetch, Read, Told
from aegis_async._tasks import TaskOwner
from aegis_async.models import Page, PageMeta

__all__ = ["Answer", "History", "Moving", "Scale", "tables", "walked"]

_PAGE_SIZE: Final = 100
_SKIM_SIZE: Final = 1_000
_RATES: Final = (0.002, 0.01, 0.05, 0.2, 1.0)


@dataclass(frozen=True)
class Answer:
    """One page as it was sent, and what there was at that moment."""

    place: Place
    items: tuple[int, ...]
    total: int
    there: frozenset[int]


@dataclass
class Moving:
    """A listing of numbers that moves between requests. A page is cut at one moment, and no number comes back.

    Attributes:
        random: Where its moves come from.
        items: What there is.
        rate: Moves before each request, on average.
        settles: The request from which on it stands still.
        keeps: Whether to keep what was sent.
        answers: What was sent, if so.
        ever: Every number that was ever there.
        between: Called before each request with the number of those that were, for a move of one's own.
        requests: How many there were.
    """

    random: Random
    items: list[int]
    rate: float
    settles: float = float("inf")
    keeps: bool = False
    answers: list[Answer] = field(default_factory=list)
    ever: set[int] = field(default_factory=set)
    between: Callable[[int], None] = lambda _requests: None
    requests: int = 0

    def __post_init__(self) -> None:
        self.ever.update(self.items)

    def cut(self, place: Place) -> Page[int]:
        """Let the listing move, then cut a page."""
        if self.requests < self.settles:
            self._move()
        self.between(self.requests)
        self.requests += 1
        items = tuple(self.items[place.offset : place.offset + place.size])
        if self.keeps:
            self.answers.append(Answer(place, items, len(self.items), frozenset(self.items)))
        return Page(items, _meta(place, len(items), len(self.items)))

    def swap(self) -> None:
        """Delete the first item and create one at the end, which no total shows."""
        del self.items[0]
        self._add(len(self.items))

    def _add(self, at: int) -> None:
        new = 1 + max(self.ever, default=0)
        self.items.insert(at, new)
        self.ever.add(new)

    def _move(self) -> None:
        while self.random.random() < self.rate / (1 + self.rate):  # a geometric number of moves, `rate` on average
            if self.items and self.random.random() < 0.5:  # noqa: PLR2004 - as often as the other
                del self.items[self.random.randrange(len(self.items))]
            else:
                self._add(self.random.choice((0, len(self.items))))


def _meta(place: Place, count: int, total: int) -> PageMeta:
    pages = -(-total // place.size)
    following = place.number + 1 if place.number < pages else None
    return PageMeta(
        place.number, place.size, total, count, pages, following is not None, place.number > 1, following, None
    )


@dataclass(frozen=True)
class History:
    """What came of one walk.

    Attributes:
        given: The items given, in order.
        stayed: Those that were there from before the first request to after the last.
        report: What the paginator says.
    """

    given: list[int]
    stayed: set[int]
    report: ListingReport

    @property
    def missed(self) -> set[int]:
        """What was there all the time and was not given."""
        return self.stayed - set(self.given)


async def walked(
    service: Moving, page_size: int, skim_size: int, on_drift: OnDrift = "repair", prefetch: Prefetch = 0
) -> History:
    """Walk a listing that moves."""
    owner, before = TaskOwner(), set(service.items)

    async def fetch(place: Place, *, ahead: bool = False, told: Told | None = None) -> Page[int]:  # noqa: ARG001 - no lanes, no clock
        return service.cut(place)

    async def skim(place: Place, known: Container[Hashable]) -> Read[int]:
        page = service.cut(place)
        new = any(item not in known for item in page.items)
        return Read(page.meta, len(page.items), page.items, page if new else None)

    paginator = Paginator(
        Listing(
            "/moving",
            fetch,
            skim,
            lambda: owner,
            _itself,
            start=Cursor(page_size=page_size),
            prefetch=prefetch,
            on_drift=on_drift,
            skim_size=skim_size,
        )
    )
    given = await paginator.collect()
    return History(given, before & set(service.items), paginator.report)


def _itself(item: int) -> Hashable:
    return item


@dataclass(frozen=True)
class Scale:
    """How much is walked for one line of a table.

    Attributes:
        histories: Walks.
        items: Items in the listing when a walk begins.
    """

    histories: int = 1_000
    items: int = 5_000

    def walks(self, rate: float, on_drift: OnDrift) -> list[History]:
        """Give what came of each."""
        services = (Moving(Random(seed), list(range(self.items)), rate) for seed in range(self.histories))
        return [asyncio.run(walked(service, _PAGE_SIZE, _SKIM_SIZE, on_drift)) for service in services]


def tables(scale: Scale) -> Iterator[str]:
    """Give the tables, line by line: walks as they are, and repaired ones."""
    yield "| moves per request | walks that miss something | items missed, per million | of these, unnoticed |"
    yield "|--:|--:|--:|--:|"
    yield from (f"| {rate} | {_once(scale.walks(rate, 'ignore'))} |" for rate in _RATES)
    yield ""
    yield "| moves per request | complete | miss something | not complete | miss something | sweeps |"
    yield "|--:|--:|--:|--:|--:|--:|"
    yield from (f"| {rate} | {_repaired(scale.walks(rate, 'repair'))} |" for rate in _RATES)


def _once(histories: list[History]) -> str:
    losing = [history for history in histories if history.missed]
    unnoticed = [history for history in losing if history.report.evidence == "counts"]
    missed, stayed = (sum(map(len, sets)) for sets in zip(*((h.missed, h.stayed) for h in histories), strict=True))
    share, hidden = len(losing) / len(histories), len(unnoticed) / max(1, len(losing))
    return f"{100 * share:.1f} % | {1e6 * missed / stayed:.1f} | {100 * hidden:.1f} %"


def _repaired(histories: list[History]) -> str:
    proven = [history for history in histories if history.report.complete]
    unproven = [history for history in histories if not history.report.complete]
    sweeps = sum(history.report.sweeps for history in histories) / len(histories)
    return f"{_losing(proven)} | {_losing(unproven)} | {sweeps:.1f}"


def _losing(histories: list[History]) -> str:
    return f"{len(histories)} | {sum(bool(history.missed) for history in histories)}"


if __name__ == "__main__":
    logging.getLogger("aegis_async").setLevel(logging.ERROR)  # thousands of walks say what the tables sum up
    for line in tables(Scale()):
        print(line, flush=True)
