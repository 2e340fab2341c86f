"""Owners of background tasks and of waits: whatever is begun here is awaited or cancelled here."""

import asyncio
import sys
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Self, TypeVar

__all__ = ["Closing", "Steps", "TaskOwner", "abandon", "finish"]

T = TypeVar("T")


class Closing(ABC):
    """Something that ends with ``aclose()``, and so at the end of its ``async with``."""

    @abstractmethod
    async def aclose(self) -> None:
        """End it, and wait until nothing of it is left."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class Steps:
    """The steps of one iterator: one after the other, whichever tasks ask for them, until it is closed."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._scope: asyncio.Timeout | None = None
        self._closed = False

    async def take(self, step: Callable[[], Awaitable[T]]) -> T:
        """Take one step.

        Raises:
            StopAsyncIteration: The iterator was closed, before it or under it.
        """
        async with self._turn:
            try:
                if not self._closed:
                    async with asyncio.timeout(None) as self._scope:
                        return await step()
            except TimeoutError:
                if not self._closed:  # an error of the step's own
                    raise
            finally:
                self._scope = None
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Take no more steps, and end the one under way: it is over when this returns."""
        is_first, self._closed = not self._closed, True
        if self._scope is not None and is_first:
            self._scope.reschedule(0)  # long ago: it runs out at once
        async with self._turn:
            pass


class TaskOwner:
    """Holds the tasks of one client until they end."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()

    def start(self, work: Coroutine[object, object, T]) -> asyncio.Task[T]:
        """Begin ``work`` as a task that this owner keeps until its end."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def start_here(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Begin ``work``, which tells its errors itself, and take its first step at once where Python can."""
        task = _begun(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # Marks it as seen: a page that was fetched ahead and never asked for has nobody to tell.
            task.exception()

    async def aclose(self) -> None:
        """Cancel every task and wait for it to be gone."""
        others = self._tasks - {asyncio.current_task()}
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others)  # not for their end when this is cancelled: one of them may wait for this


def _begun(work: Coroutine[object, object, None]) -> asyncio.Task[None]:
    if sys.version_info >= (3, 12):
        loop = asyncio.get_running_loop()
        if loop.get_task_factory() is None:  # else somebody wants tasks of a kind of their own
            return asyncio.Task(work, loop=loop, eager_start=True)
    return asyncio.create_task(work)


async def finish(*tasks: asyncio.Task[object]) -> None:
    """Cancel ``tasks`` and wait until each is gone; their results and errors are dropped."""
    current = asyncio.current_task()
    others = [task for task in tasks if task is not current]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def abandon(loop: asyncio.AbstractEventLoop, *tasks: asyncio.Task[object]) -> None:
    """Cancel ``tasks`` without waiting, from a finalizer that may run in any thread."""
    if loop.is_closed() or all(task.done() for task in tasks):
        return
    try:
        here = asyncio.get_running_loop() is loop
    except RuntimeError:  # a thread without a loop
        here = False
    if here:
        for task in tasks:
            task.cancel()
    else:
        loop.call_soon_threadsafe(lambda: [task.cancel() for task in tasks])
