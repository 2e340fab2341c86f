"""One iteration's workers and results. It knows no iterator, so that an abandoned one can be collected."""

import asyncio
import logging
from collections import deque
from contextlib import suppress
from copy import copy
from typing import Any, Final, Generic, TypeVar

from aegis_async._deadline import Deadline, current, within
from aegis_async._fanout._job import FanOutStats, Job, OnError
from aegis_async._fanout._source import Source, source
from aegis_async.errors import AegisError, AuthenticationError, ClientClosedError, FanOutReport

__all__ = ["Result", "Work"]

T = TypeVar("T")

log: Final = logging.getLogger("aegis_async")

# What is wrong with one id is that id's error; these are wrong for every id.
_ENDS_ALL: Final = (AuthenticationError, ClientClosedError)

# An id with its value, or with its error: a million Outcomes that nobody looks at would cost a second.
Result = tuple[int, Any, AegisError | None]


class Work(Generic[T]):
    """One iteration's workers and results."""

    def __init__(self, job: Job[T], on_error: OnError) -> None:
        self._job = job
        self._on_error = on_error
        self._room = 2 * job.concurrency
        self._blocked: deque[asyncio.Future[None]] = deque()
        self._ready: dict[int, Result] = {}
        # Each id in flight, with its place in the order and those of its repeats.
        self._flights: dict[int, list[int]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._taken = self._given = self._fetched = self._failed = self._shared = 0
        self._failure: BaseException | None = None
        self._lost: tuple[int, ...] = ()
        self._interrupted = False
        self._ended = False
        self._arrived = asyncio.Event()
        self._bound: Deadline | None = None

    @property
    def stats(self) -> FanOutStats:
        """What this iteration has done so far."""
        return FanOutStats(
            self._taken, self._fetched, self._failed, len(self._ready), len(self._in_flight()), self._shared
        )

    def start(self) -> asyncio.Task[None]:
        """Begin the workers, under a task of the client's."""
        self._bound = current()
        task = self._job.tasks().start(self._run())
        task.add_done_callback(self._end)
        return task

    def runs_in(self, task: asyncio.Task[object] | None) -> bool:
        """Whether a task is one of the workers, in which the source of the ids runs too."""
        return task in self._workers

    def pop(self) -> Result | None:
        """Give the next result if it is there."""
        index = self._given if self._job.ordered else next(iter(self._ready), -1)
        result = self._ready.pop(index, None)
        if result is not None:
            self._given += 1
            self._room += 1
            # One that was cancelled passes its turn to nobody: all workers end together.
            if self._blocked and not (blocked := self._blocked.popleft()).done():
                blocked.set_result(None)
        return result

    async def next(self) -> Result | None:
        """Give the next result, or None at the end.

        Raises:
            BaseException: What ended the work, after the results that were ready before it.
        """
        while (result := self.pop()) is None:
            if self._ended:
                if self._failure is not None:
                    raise self._reported(self._failure)
                return None
            self._arrived.clear()
            await self._arrival()
        return result

    async def _arrival(self) -> None:
        if current() is self._bound:  # that of the workers, whose own errors say more
            await self._arrived.wait()
        else:
            await within(self._arrived.wait(), "the next of many ids")

    def _reported(self, failure: BaseException) -> BaseException:
        if isinstance(failure, AegisError):
            waiting = tuple(id_ for id_, _, _ in self._ready.values())
            failure.fan_out = FanOutReport(self._taken, self._fetched, self._failed, self._given, self._lost, waiting)
        return failure

    def _in_flight(self) -> tuple[int, ...]:
        return tuple(id_ for id_, places in self._flights.items() for _ in places)

    async def _run(self) -> None:
        ids = source(self._job.ids)
        try:
            with suppress(BaseExceptionGroup):  # the first failure in time is kept by the worker that met it
                async with asyncio.TaskGroup() as group:
                    count = min(self._job.concurrency, ids.size)
                    self._workers = {group.create_task(self._worker(ids)) for _ in range(count)}
        finally:
            self._workers.clear()
            await ids.aclose()

    def _end(self, task: asyncio.Task[None]) -> None:
        if self._failure is None and (task.cancelled() or self._interrupted):
            self._failure = ClientClosedError(
                "not all ids were fetched: the client was closed, or their source cancelled"
            )
        elif self._failure is None:
            self._failure = task.exception()
        self._ended = True
        self._arrived.set()

    async def _worker(self, ids: Source) -> None:
        try:
            while True:
                while self._room == 0:
                    await self._freed()
                self._room -= 1
                id_ = await ids.take()
                places = self._taken_as(id_)
                if places is not None:
                    await self._fetch(places, id_)
        except StopAsyncIteration:
            return
        except asyncio.CancelledError:
            self._interrupted = True
            raise
        except BaseException as error:
            if self._failure is None:
                self._failure = error
                self._lost = self._in_flight()
            raise

    async def _freed(self) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._blocked.append(place)
        await place

    def _taken_as(self, id_: int) -> list[int] | None:
        """Give the places of an id that is to be fetched; None if it is in flight already, and that will do."""
        places = [self._taken]
        self._taken += 1
        # Only an int is sure to equal nothing but itself: True would share the flight of 1.
        known = self._flights.setdefault(id_, places) if type(id_) is int else places
        if known is places:
            return places
        known += places
        self._shared += 1
        return None

    async def _fetch(self, places: list[int], id_: int) -> None:
        value, failure = None, None
        try:
            value = await self._job.fetch(id_)
        except _ENDS_ALL:
            raise
        except AegisError as error:
            failure = error
        finally:
            if type(id_) is int:
                del self._flights[id_]
        self._settle(places, id_, value, failure)

    def _settle(self, places: list[int], id_: int, value: T | None, error: AegisError | None) -> None:
        if error is None:
            self._fetched += len(places)
        else:
            self._failed += len(places)
            if self._on_error == "raise":
                raise error
            if self._on_error == "skip":
                log.warning("skipped id %r: %s", id_, error)
        first, *repeats = places
        self._ready[first] = (id_, value, error)
        for place in repeats:
            self._ready[place] = (id_, value, copy(error))
        self._arrived.set()
        if self._job.on_progress is not None:
            self._job.on_progress(self.stats)
