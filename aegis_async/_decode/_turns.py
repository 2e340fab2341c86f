"""One step in each turn of the loop, however many bodies are being cut."""

import asyncio
from collections.abc import Generator, Iterator
from typing import TypeVar

__all__ = ["Turns", "keeping"]

T = TypeVar("T")
S = TypeVar("S")


class Turns:
    """Steps of every large body of one client, in fair order, each followed by a turn of the loop for others."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock: asyncio.Lock

    async def run(self, steps: Generator[object, None, T]) -> T:
        """Give the result of ``steps``, one of them in a turn."""
        results: list[T] = []
        kept = keeping(steps, results)
        while await self.next(kept) is not None:
            pass
        return results[0]

    async def next(self, steps: Iterator[S]) -> S | None:
        """Take one step and give others a turn of the loop; None at the end."""
        async with self._in_this_loop():
            given = next(steps, None)
            await asyncio.sleep(0)
        return given

    def _in_this_loop(self) -> asyncio.Lock:
        # A lock belongs to the loop that it was first waited for in, and a client may outlive its loop.
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._lock = loop, asyncio.Lock()
        return self._lock


def keeping(steps: Generator[S, None, T], results: list[T]) -> Iterator[S]:
    """Give the steps, and put their result into ``results`` at the end."""
    results.append((yield from steps))
