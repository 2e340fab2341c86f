"""Partitions that are still to be fetched: fresh ones, and those whose worker died."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from aegis_async.errors import ExportError
from aegis_async.export._ray._partitions import Partition

__all__ = ["Work"]

_ATTEMPTS: Final = 5  # after so many dead workers it is the partition that kills them


class Work:
    """Hands out partitions until every one is done.

    Args:
        fresh: Partitions, made as they are taken.

    Attributes:
        over: Set when every partition is done.
    """

    def __init__(self, fresh: AsyncIterator[Partition]) -> None:
        self.over = asyncio.Event()
        self._fresh: AsyncIterator[Partition] | None = fresh
        self._again: deque[Partition] = deque()
        self._out = 0
        self._turn = asyncio.Condition()

    async def take(self) -> Partition | None:
        """Give the next partition, as soon as there is one; None when every one is done.

        Raises:
            AegisError: The ids could not be read.
        """
        async with self._turn:  # held while ids are read: an async generator cannot be asked twice at once
            while not self.over.is_set():
                partition = self._again.popleft() if self._again else await self._next()
                if partition is not None:
                    self._out += 1
                    return partition
                if not self._out:
                    self._end()
                elif not self._again:
                    await self._turn.wait()
            return None

    async def _next(self) -> Partition | None:
        if self._fresh is None:
            return None
        partition = await anext(self._fresh, None)
        if partition is None:
            self._fresh = None
        return partition

    async def done(self) -> None:
        """Hear that a partition is done."""
        async with self._turn:
            self._out -= 1
            if not self._out and self._fresh is None and not self._again:
                self._end()

    async def give_back(self, partition: Partition, reason: Exception) -> None:
        """Hear that the worker of a partition died.

        Raises:
            ExportError: Too many did, one after the other.
        """
        if partition.attempt >= _ATTEMPTS:
            first, last = partition.ids[0][0], partition.ids[-1][0]
            raise ExportError(f"{partition.attempt} workers died over collections {first} to {last}: {reason}")
        async with self._turn:
            self._out -= 1
            self._again.append(partition.again())
            self._turn.notify()

    def _end(self) -> None:
        self.over.set()
        self._turn.notify_all()
