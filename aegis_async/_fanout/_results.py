"""The consumer's side of one iteration: starts it, ends it, and ends with it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Generic, Self, TypeVar, cast

from aegis_async._fanout._job import Outcome
from aegis_async._fanout._work import Result, Work
from aegis_async._tasks import Closing, abandon, finish

__all__ = ["FanOutIterator", "OutcomeIterator"]

T = TypeVar("T")


class _Results(Closing, Generic[T]):
    """What both iterators have in common: the next result of a work, and its end."""

    def __init__(self, work: Work[T]) -> None:
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self._over = False

    def __aiter__(self) -> Self:
        return self

    def _ready(self) -> Result | None:
        return None if self._over else self._work.pop()

    async def _awaited(self) -> Result:
        if self._over:
            raise StopAsyncIteration
        try:
            if self._task is None:
                self._task = self._work.start()
            result = await self._work.next()
        except BaseException as error:
            was_over = self._over
            await self.aclose()
            if was_over and isinstance(error, Exception):  # closed meanwhile, or told to who asked first
                raise StopAsyncIteration from None
            raise
        if result is None:
            self._over = True
            raise StopAsyncIteration
        return result

    async def aclose(self) -> None:
        """End the iteration: no request of it is left when this returns, or soon after where its own ids call this."""
        self._over = True
        if self._task is None:
            return
        if self._work.runs_in(asyncio.current_task()):  # which would wait for its own end
            self._task.cancel()
        else:
            await finish(self._task)

    def __del__(self) -> None:
        if self._task is not None:
            abandon(self._task.get_loop(), self._task)


class OutcomeIterator(_Results[T], AsyncIterator[Outcome[T]]):
    """Gives one outcome for each id; also an async context manager that ends the work."""

    async def __anext__(self) -> Outcome[T]:
        return Outcome(*(self._ready() or await self._awaited()))


class FanOutIterator(_Results[T], AsyncIterator[T]):
    """Gives the values; also an async context manager that ends the work."""

    async def __anext__(self) -> T:
        while True:
            _, value, error = self._ready() or await self._awaited()
            if error is None:
                return cast("T", value)
