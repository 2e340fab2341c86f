"""The service as a source: read once in full, then kept up to date by ``watch``."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from secrets import token_hex
from typing import Final, Self

from aegis_async._arguments import seconds
from aegis_async._client import AegisClient
from aegis_async._clock import Clock
from aegis_async._fanout import Outcome
from aegis_async._resources._watching import Change, Removed, Watch, WatchCursor
from aegis_async._tasks import Closing, finish
from aegis_async.dashboard._facts import CollectionFacts, facts_of
from aegis_async.dashboard._opened import Opened
from aegis_async.dashboard._pending import Pending
from aegis_async.dashboard._problems import Problems
from aegis_async.dashboard._source import Bell, Evaluations, Found, State, Status
from aegis_async.errors import AegisError, NotFoundError
from aegis_async.models import DataCollection, DataCollectionSummary

__all__ = ["LiveSource"]

_log: Final = logging.getLogger("aegis_async")
_TELLING: Final = 1.0  # seconds between two pieces of news while collections come in
_PING_DEADLINE: Final = 10.0  # seconds after which a service that says nothing is down
_PING: Final = 10.0  # seconds from one look at the service's health to the next, at most
_PAGE_DEADLINE: Final = 60.0  # seconds for a page of the listing, after which it counts as not answered
_WATCHED: Final = 0.75  # of the interval; the rest is for the watch's jitter and for reading what it found
_LISTING: Final = "listing"
_SHOWN: Final = ("entries", "size", "hits", "stale", "misses")


class LiveSource(Closing):
    """The numbers of an account, read through a client and kept up to date while this is open.

    Use it as ``async with client, LiveSource(client) as live:``, in the lifespan of an app. Of each collection it keeps
    some numbers for each run, about 1 KB, and no evaluation; the drill-down asks the client, so give that a
    ``Cache``. It reads in the bulk lane.

    Args:
        client: Stays open at least as long as this.
        interval: Seconds after which a change in the service is shown at the latest; the listing is looked at a little
            more often, and pinged at least as often.

    Raises:
        ConfigurationError: ``interval`` is not above zero.
    """

    def __init__(self, client: AegisClient, *, interval: float = 30.0) -> None:
        self.bell: Bell = Bell()
        self._client = client
        self._pinged = client.with_options(deadline=_PING_DEADLINE)
        self._listed = client.with_options(deadline=_PAGE_DEADLINE).data_collections
        self._interval = seconds("interval", interval)
        self._clock = Clock()
        self._opened = Opened(client, self._clock)
        self._cursor: WatchCursor | None = None
        self._watch: Watch[DataCollectionSummary] | None = None
        self._book: dict[int, CollectionFacts] = {}
        self._pending = Pending()
        self._settled = False
        self._look = asyncio.Event()  # at the service: when it is time, or what was read may be everything
        self._ping: float | None = None
        self._seen_at: float | None = None  # the listing, by an earlier watch
        self._problems = Problems(self.bell.ring)
        self._nonce = token_hex(4)
        self._number = 0
        self._told_at = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        for work in (self._follow, self._load, self._try_again, self._check):
            self._tasks.append(asyncio.create_task(self._kept_up(work)))
        return self

    async def aclose(self) -> None:
        """End every stream of events and every task of this; the client stays open."""
        self.bell.silence()
        tasks, self._tasks = self._tasks, []
        await finish(*tasks)

    def state(self) -> State:
        """Give how fresh the numbers are."""
        stats = None if self._client.cache is None else self._client.cache.stats()
        return State(
            status=self._status(),
            version=f"{self._nonce}-{self._number}",
            age=self._age(),
            ping=self._ping,
            problem=self._problems.first(_LISTING),
            collections=len(self._book),
            pending=len(self._pending),
            cache=None if stats is None else {name: getattr(stats, name) for name in _SHOWN},
        )

    def book(self) -> Iterable[CollectionFacts]:
        """Give every collection in numbers."""
        return tuple(self._book.values())

    async def collection(self, collection_id: int) -> Found:
        """Give one collection, from the client's cache unless it changed since.

        Raises:
            AegisError: There is none, or it cannot be had.
        """
        return await self._opened.collection(collection_id)

    async def evaluations(self, collection_id: int, run_id: int, page: int) -> Evaluations:
        """Give a page of a run's evaluations, from the client's cache unless the collection changed since.

        Raises:
            AegisError: There is no such collection, or it cannot be had.
        """
        return await self._opened.evaluations(collection_id, run_id, page)

    def _status(self) -> Status:
        if self._problems.but(_LISTING):  # without the listing there are still numbers that can be read anew
            return "down"
        if self._pending.failed or self._problems:
            return "stale"
        return "live" if self._settled else "loading"

    def _age(self) -> float | None:
        seen_at = self._listing_seen_at()
        return None if seen_at is None else round(self._clock.monotonic() - seen_at, 1)

    def _listing_seen_at(self) -> float | None:
        age = None if self._watch is None else self._watch.age
        return self._seen_at if age is None else self._clock.monotonic() - age

    async def _kept_up(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except AegisError as error:
                self._problems.note(work.__name__, error)
            await self._clock.sleep(self._interval)

    async def _follow(self) -> None:
        async with self._listed.watch(interval=self._interval * _WATCHED, cursor=self._cursor) as watch:
            self._watch = watch
            try:
                async for change in watch:
                    self._apply(change)
            finally:
                self._seen_at = self._listing_seen_at()
                self._cursor = watch.cursor
                self._watch = None

    def _apply(self, change: Change[DataCollectionSummary]) -> None:
        if isinstance(change, Removed):
            self._forget(change.id)
            return
        self._opened.changed(change.id)
        self._pending.want(change.id)

    async def _load(self) -> None:
        while True:
            ids = await self._pending.taken()
            try:
                async for outcome in self._client.data_collections.get_many(ids).outcomes():
                    await self._take(outcome)
            finally:  # a refused key ends the fan-out early
                self._pending.give_back()
            self._problems.solve("_load")
            if not self._settled:
                self._look.set()
            self._news()

    async def _try_again(self) -> None:
        while True:
            await self._clock.sleep(self._interval)
            self._pending.try_again()

    async def _take(self, outcome: Outcome[DataCollection]) -> None:
        if outcome.value is not None:
            facts = await asyncio.to_thread(facts_of, outcome.value)
            if not self._pending.answered(outcome.id, failed=False):  # it was removed meanwhile
                return
            self._book[outcome.id] = facts
            self._number += 1
            if self._clock.monotonic() - self._told_at > _TELLING:
                self._news()
        elif isinstance(outcome.error, NotFoundError):
            self._forget(outcome.id)
        else:
            self._pending.answered(outcome.id, failed=True)
            _log.debug("collection %s cannot be read: %s", outcome.id, outcome.error)

    def _forget(self, collection_id: int) -> None:
        self._pending.drop(collection_id)
        self._opened.forget(collection_id)
        if self._book.pop(collection_id, None) is not None:
            self._number += 1
            self._news()

    async def _check(self) -> None:
        while True:
            self._look.clear()
            try:
                self._ping = round(await self._pinged.ping(), 4)
                if not self._settled:
                    await self._settle()
            except AegisError as error:
                self._ping = None
                self._problems.note("ping", error)
            else:
                self._problems.solve("ping")
            self._look_at_watch()
            alarm = self._clock.later(min(self._interval, _PING), self._look.set)
            try:
                await self._look.wait()
            finally:
                alarm.cancel()

    def _look_at_watch(self) -> None:
        """Say so when the listing cannot be read: pings may be answered, and yet nothing new is seen."""
        if self._watch is None:
            return
        if self._watch.failure is not None:
            self._problems.note(_LISTING, self._watch.failure, "Changes are not seen at present. ")
        elif self._watch.age is not None:
            self._problems.solve(_LISTING)
            self._problems.solve("_follow")

    async def _settle(self) -> None:
        """Compare what is here with what the listing says there is, until it is everything for the first time."""
        async for page in self._client.data_collections.list(page_size=1, max_pages=1).pages():
            self._settled = len(self._book) >= page.meta.total_items
        if self._settled:
            self.bell.ring()

    def _news(self) -> None:
        self._told_at = self._clock.monotonic()
        self.bell.ring()
