"""The items of one iteration, each id once."""

from collections.abc import AsyncIterator, Iterator
from typing import Self, TypeVar

from aegis_async._pagination._ledger import Ledger
from aegis_async._pagination._pages import PageIterator
from aegis_async._tasks import Closing, Steps

__all__ = ["ItemIterator"]

T = TypeVar("T")


class ItemIterator(Closing, AsyncIterator[T]):
    """Walks the items of one listing, each id once; also an async context manager."""

    def __init__(self, pages: PageIterator[T], ledger: Ledger[T]) -> None:
        self._pages = pages
        self._ledger = ledger
        self._items: Iterator[T] = iter(())
        self._steps = Steps()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        for item in self._items:
            return item
        return await self._steps.take(self._step)

    async def aclose(self) -> None:
        """End the iteration: nothing that was under way or fetched ahead is left when this returns."""
        await self._steps.aclose()
        self._items = iter(())
        await self._pages.aclose()

    async def _step(self) -> T:
        while True:
            for item in self._items:
                return item
            page = await anext(self._pages)
            self._items = self._ledger.new_items(page)
