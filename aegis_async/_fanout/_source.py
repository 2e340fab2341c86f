"""Where ids come from: any iterable, read one id at a time whoever asks."""

import asyncio
import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, Iterable, Sequence
from collections.abc import Set as AbstractSet

__all__ = ["Source", "source"]


class Source(ABC):
    """Ids, one after the other.

    Attributes:
        size: How many there are at most.
    """

    size = sys.maxsize

    @abstractmethod
    async def take(self) -> int:
        """Give the next id.

        Raises:
            StopAsyncIteration: There is none.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """End the source, where it can be ended."""


class _Plain(Source):
    def __init__(self, ids: Iterable[int]) -> None:
        self._ids = iter(ids)
        # The length of nothing else is sure to be the number of what comes: a queue's is what waits in it now.
        if isinstance(ids, Sequence | AbstractSet):
            self.size = len(ids)

    async def take(self) -> int:
        for id_ in self._ids:
            return id_
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Leave a plain iterator to who made it."""


class _Async(Source):
    def __init__(self, ids: AsyncIterable[int]) -> None:
        self._ids = aiter(ids)
        self._turn = asyncio.Lock()  # an async generator cannot be asked twice at once

    async def take(self) -> int:
        async with self._turn:
            return await anext(self._ids)

    async def aclose(self) -> None:
        aclose = getattr(self._ids, "aclose", None)
        if aclose is not None:
            await aclose()


def source(ids: Iterable[int] | AsyncIterable[int]) -> Source:
    """Give the ids of any iterable, plain or asynchronous."""
    return _Async(ids) if isinstance(ids, AsyncIterable) else _Plain(ids)
