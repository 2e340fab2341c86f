"""What the page stands on: the service or a finished export, behind the same few calls."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from msgspec import Struct

from aegis_async.dashboard._details import EvaluationRow
from aegis_async.dashboard._facts import CollectionFacts

__all__ = ["Bell", "Evaluations", "Found", "Source", "State", "Status"]

Status = Literal["loading", "live", "stale", "down", "export"]


class State(Struct, frozen=True, gc=False):
    """The answer of ``api/health``, and what the page's banner says.

    Attributes:
        status: ``"loading"`` until every collection was read once, then ``"live"``; ``"stale"`` when the listing cannot
            be read, so that changes are not seen, or when collections are known to have changed and could not be
            read; ``"down"`` when the service does not answer; ``"export"`` over an export.
        version: Changes whenever the numbers do.
        age: Seconds since the listing was last read, or since the export; None before the first time.
        ping: Seconds that the last ``client.ping()`` took; None when it failed.
        problem: What is wrong, in one sentence; None when nothing is.
        collections: Collections whose numbers are known.
        pending: Collections that are yet to be read.
        cache: What the client's cache was good for: entries, size, hits, stale, misses; None without one.
    """

    status: Status
    version: str
    age: float | None
    ping: float | None
    problem: str | None
    collections: int
    pending: int
    cache: dict[str, int] | None


class Found(NamedTuple):
    """A collection for the drill-down.

    Attributes:
        facts: The collection in numbers.
        age: Seconds since the service sent it.
        stale: Whether that is too long ago.
    """

    facts: CollectionFacts
    age: float
    stale: bool


class Evaluations(NamedTuple):
    """A page of a run's evaluations.

    Attributes:
        found: The collection that holds the run.
        rows: At most 100 of them; empty for a run that the collection does not have.
        total: How many the run has.
    """

    found: Found
    rows: Sequence[EvaluationRow]
    total: int


@runtime_checkable
class Source(Protocol):
    """Where the numbers come from."""

    bell: "Bell"

    def state(self) -> State:
        """Give how fresh the numbers are."""

    def book(self) -> Iterable[CollectionFacts]:
        """Give every collection in numbers, to be read once, in any thread.

        Raises:
            ExportError: While it is read: the numbers of this version are gone. With another version, ask again.
        """

    async def collection(self, collection_id: int) -> Found:
        """Give one collection.

        Raises:
            NotFoundError: There is none.
        """

    async def evaluations(self, collection_id: int, run_id: int, page: int) -> Evaluations:
        """Give a page of a run's evaluations.

        Raises:
            NotFoundError: There is no such collection.
        """


class Bell:
    """Wakes everybody who waits for news."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._silenced = False

    @property
    def silenced(self) -> bool:
        """Whether there will be no more news."""
        return self._silenced

    def ring(self) -> None:
        """Wake whoever waits now."""
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    def silence(self) -> None:
        """Wake them for the last time, so that streams of events end and a server can stop."""
        self._silenced = True
        self.ring()

    def next(self) -> asyncio.Event:
        """Give what will be set by the next news; taken before one looks, none is missed."""
        return self._rung
