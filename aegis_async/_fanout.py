"""From ids to values, many at once: a fixed pool of workers over a lazily read source."""

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Generic, Literal, Self, TypeVar, cast

from aegis_async._tasks import Closing, TaskOwner, abandon, finish
from aegis_async.errors import AegisError, AuthenticationError, ClientClosedError

__all__ = ["FanOut", "FanOutIterator", "FanOutStats", "Job", "OnError", "Outcome", "OutcomeIterator"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
OnError = Literal["raise", "skip", "give"]

log: Final = logging.getLogger("aegis_async")

# What is wrong with one id is that id's error; these are wrong for every id.
_ENDS_ALL: Final = (AuthenticationError, ClientClosedError)


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T_co]):
    """What came of one id.

    Attributes:
        id: The id as it was given.
        value: What was fetched, None where there is an error.
        error: Why there is no value, None where there is one.
    """

    id: int
    value: T_co | None = None
    error: AegisError | None = None


@dataclass(frozen=True, slots=True)
class FanOutStats:
    """What one iteration has done so far.

    Attributes:
        taken: Ids read from the source.
        fetched: Ids that gave a value.
        failed: Ids that gave an error.
        waiting: Results not yet taken by the consumer.
    """

    taken: int = 0
    fetched: int = 0
    failed: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Job(Generic[T]):
    """What to fetch and how.

    Attributes:
        ids: The source, read only as fast as results are taken.
        fetch: Gives the value of one id, or raises.
        tasks: Gives the owner of the workers.
        concurrency: Ids in flight at most.
        ordered: Whether results come in the order of the ids.
        on_error: What an id's error does.
    """

    ids: Iterable[int] | AsyncIterable[int]
    fetch: Callable[[int], Awaitable[T]]
    tasks: Callable[[], TaskOwner]
    concurrency: int
    ordered: bool
    on_error: OnError


class FanOut(Generic[T]):
    """Values fetched by id, several at once; nothing is requested before it is iterated.

    Ids are read from the source as results are taken: those in flight and those waiting for the consumer are
    never more than twice the concurrency, however many ids there are. An async generator given as the source is
    closed at the end.

    Example:
        ::

            async for full in client.data_collections.get_many(ids, concurrency=16):
                print(full.name, len(full.runs))
    """

    def __init__(self, job: Job[T]) -> None:
        self._job = job
        self._work = _Work(job, job.on_error)

    @property
    def stats(self) -> FanOutStats:
        """What the latest iteration has done so far."""
        return self._work.stats

    def __aiter__(self) -> "FanOutIterator[T]":
        self._work = _Work(self._job, self._job.on_error)
        return FanOutIterator(self._work)

    def outcomes(self) -> "OutcomeIterator[T]":
        """Give one :class:`Outcome` for each id, repeats included, errors as values whatever ``on_error`` says.

        Raises:
            AuthenticationError: On iteration: the key was refused, which ends every mode.
            ClientClosedError: On iteration: the client was closed.
        """
        self._work = _Work(self._job, "give")
        return OutcomeIterator(self._work)

    async def collect(self) -> list[T]:
        """Give every value as a list, in the order in which iteration would give them."""
        async with aiter(self) as values:
            return [value async for value in values]


class _Work(Generic[T]):
    """One iteration's workers and results. It knows no iterator, so that an abandoned one can be collected."""

    def __init__(self, job: Job[T], on_error: OnError) -> None:
        self._job = job
        self._on_error = on_error
        self._room = asyncio.Semaphore(2 * job.concurrency)
        self._turn = asyncio.Lock()
        self._ready: dict[int, Outcome[T]] = {}
        self._taken = self._given = self._fetched = self._failed = 0
        self._failure: BaseException | None = None
        self._interrupted = False
        self._ended = False
        self._arrived = asyncio.Event()

    @property
    def stats(self) -> FanOutStats:
        return FanOutStats(self._taken, self._fetched, self._failed, len(self._ready))

    def start(self) -> asyncio.Task[None]:
        """Begin the workers, under a task of the client's."""
        task = self._job.tasks().start(self._run())
        task.add_done_callback(self._end)
        return task

    async def next(self) -> Outcome[T] | None:
        """Give the next result, or None at the end.

        Raises:
            BaseException: What ended the work, after the results that were ready before it.
        """
        while True:
            index = self._given if self._job.ordered else next(iter(self._ready), -1)
            if index in self._ready:
                self._given += 1
                self._room.release()
                return self._ready.pop(index)
            if self._ended:
                if self._failure is not None:
                    raise self._failure
                return None
            self._arrived.clear()
            await self._arrived.wait()

    async def _run(self) -> None:
        source = _source(self._job.ids)
        try:
            with suppress(BaseExceptionGroup):  # the first failure in time is kept by the worker that met it
                async with asyncio.TaskGroup() as workers:
                    for _ in range(self._job.concurrency):
                        workers.create_task(self._worker(source))
        finally:
            await _close(source)

    def _end(self, task: asyncio.Task[None]) -> None:
        if self._failure is None and (task.cancelled() or self._interrupted):
            self._failure = ClientClosedError("the client was closed while ids were being fetched")
        elif self._failure is None:
            self._failure = task.exception()
        self._ended = True
        self._arrived.set()

    async def _worker(self, source: AsyncIterator[int]) -> None:
        try:
            while True:
                await self._room.acquire()
                async with self._turn:
                    id_ = await anext(source)
                    index = self._taken
                    self._taken += 1
                self._ready[index] = await self._outcome(id_)
                self._arrived.set()
        except StopAsyncIteration:
            return
        except asyncio.CancelledError:
            self._interrupted = True
            raise
        except BaseException as error:
            if self._failure is None:
                self._failure = error
            raise

    async def _outcome(self, id_: int) -> Outcome[T]:
        try:
            value = await self._job.fetch(id_)
        except _ENDS_ALL:
            raise
        except AegisError as error:
            self._failed += 1
            if self._on_error == "raise":
                raise
            if self._on_error == "skip":
                log.warning("skipped id %r: %s", id_, error)
            return Outcome(id_, error=error)
        self._fetched += 1
        return Outcome(id_, value)


class _Results(Closing, Generic[T]):
    """The consumer's side of one iteration: starts it, ends it, and ends with it."""

    def __init__(self, work: _Work[T]) -> None:
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self._over = False

    def __aiter__(self) -> Self:
        return self

    async def _next(self) -> Outcome[T]:
        if self._over:
            raise StopAsyncIteration
        try:
            if self._task is None:
                self._task = self._work.start()
            outcome = await self._work.next()
        except BaseException:
            await self.aclose()
            raise
        if outcome is None:
            self._over = True
            raise StopAsyncIteration
        return outcome

    async def aclose(self) -> None:
        """End the iteration: no request of it is left when this returns."""
        self._over = True
        if self._task is not None:
            await finish(self._task)

    def __del__(self) -> None:
        if self._task is not None:
            abandon(self._task.get_loop(), self._task)


class OutcomeIterator(_Results[T], AsyncIterator[Outcome[T]]):
    """Gives one outcome for each id; also an async context manager that ends the work."""

    async def __anext__(self) -> Outcome[T]:
        return await self._next()


class FanOutIterator(_Results[T], AsyncIterator[T]):
    """Gives the values; also an async context manager that ends the work."""

    async def __anext__(self) -> T:
        while True:
            outcome = await self._next()
            if outcome.error is None:
                return cast("T", outcome.value)


class _InTurn(AsyncIterator[int]):
    """A plain iterable as an async one."""

    def __init__(self, ids: Iterable[int]) -> None:
        self._ids = iter(ids)

    async def __anext__(self) -> int:
        for id_ in self._ids:
            return id_
        raise StopAsyncIteration


def _source(ids: Iterable[int] | AsyncIterable[int]) -> AsyncIterator[int]:
    return aiter(ids) if isinstance(ids, AsyncIterable) else _InTurn(ids)


async def _close(source: AsyncIterator[int]) -> None:
    aclose = getattr(source, "aclose", None)
    if aclose is not None:
        await aclose()
