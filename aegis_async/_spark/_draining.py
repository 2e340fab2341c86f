"""An async generator as a plain one: its event loop runs in a thread of its own, one item ahead."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from queue import SimpleQueue
from typing import TypeVar

__all__ = ["drained"]

T = TypeVar("T")


def drained(begin: Callable[[], AsyncGenerator[T, None]]) -> Generator[T, None, None]:
    """Yield what an async generator gives; whichever way it is left, thread, loop and generator are gone afterwards.

    The loop goes on while the caller works: an answer under way must not meet its timeout because Spark was busy.

    Args:
        begin: Gives the generator. It yields no None.
    """
    items: SimpleQueue[T | None] = SimpleQueue()
    room = asyncio.Semaphore(1)
    runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
    with runner, ThreadPoolExecutor(1, thread_name_prefix="aegis-spark") as thread:
        loop = runner.get_loop()
        task = loop.create_task(_hand_over(begin, items, room))
        ended = thread.submit(loop.run_until_complete, task)
        try:
            while (item := items.get()) is not None:
                loop.call_soon_threadsafe(room.release)
                yield item
            ended.result()
        finally:
            loop.call_soon_threadsafe(task.cancel)


async def _hand_over(
    begin: Callable[[], AsyncGenerator[T, None]], items: "SimpleQueue[T | None]", room: asyncio.Semaphore
) -> None:
    try:
        async with aclosing(begin()) as source:
            async for item in source:
                await room.acquire()
                items.put(item)
    finally:
        items.put(None)
