"""The pages of one iteration: sweep after sweep, until nothing more is to be found out."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Generic, Self, TypeVar

from aegis_async._pagination._ledger import Ledger
from aegis_async._pagination._listing import Listing, Place, Read
from aegis_async._pagination._sizes import Sizes
from aegis_async._pagination._walk import Depth, Reader, Route, Walk
from aegis_async._tasks import Closing, Steps
from aegis_async.errors import PaginationError
from aegis_async.models import Page

__all__ = ["PageIterator"]

T = TypeVar("T")


class PageIterator(Closing, AsyncIterator[Page[T]]):
    """Walks the pages of one listing; also an async context manager that ends what was fetched ahead."""

    def __init__(self, listing: Listing[T], ledger: Ledger[T]) -> None:
        self._listing = listing
        self._ledger = ledger
        self._depth = Depth(listing.prefetch)
        self._walk = self._first_walk()
        self._steps = Steps()
        self._is_over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[T]:
        return await self._steps.take(self._step)

    async def aclose(self) -> None:
        """End the iteration: nothing that was under way or fetched ahead is left when this returns."""
        await self._steps.aclose()
        await self._end()

    async def _step(self) -> Page[T]:
        if self._is_over:
            raise StopAsyncIteration
        try:
            page = await self._next()
        except BaseException as error:
            if isinstance(error, PaginationError):
                error.report = self._ledger.report
            await self._end()
            raise
        if page is None:
            self._is_over = True
            raise StopAsyncIteration
        return page

    async def _end(self) -> None:
        self._is_over = True
        await self._walk.aclose()

    async def _next(self) -> Page[T] | None:
        while True:
            came = await self._walk.next()
            if came is not None:
                page = self._ledger.take(*came)
                if page is not None:
                    return page
            elif self._ledger.end_sweep():
                self._walk = self._walk_again()
            else:
                return None

    def _first_walk(self) -> Walk[T]:
        listing = self._listing
        sizes = Sizes(listing.start.page_size) if listing.grows else None
        return self._on(listing.first, _Whole(listing, sizes), sizes)

    def _walk_again(self) -> Walk[T]:
        return self._on(self._listing.again, _Skimmed(self._listing, self._ledger), None)

    def _on(self, start: Place, read: Reader[T], sizes: Sizes | None) -> Walk[T]:
        listing = self._listing
        return Walk(Route(listing.name, read, listing.tasks, start, listing.max_pages, self._depth, sizes))


class _Whole(Generic[T]):
    """Reads pages in full, and lets their size learn from it."""

    def __init__(self, listing: Listing[T], sizes: Sizes | None) -> None:
        self._listing = listing
        self._sizes = sizes

    async def __call__(self, place: Place, *, ahead: bool = False) -> Read[T]:
        told = partial(self._sizes.took, place.size) if self._sizes else None
        page = await self._listing.fetch(place, ahead=ahead, told=told)
        return Read.whole(page, self._listing.key)


class _Skimmed(Generic[T]):
    """Reads ids, and in full only a page with one that never came before."""

    def __init__(self, listing: Listing[T], ledger: Ledger[T]) -> None:
        self._listing = listing
        self._ledger = ledger

    async def __call__(self, place: Place, *, ahead: bool = False) -> Read[T]:  # noqa: ARG002 - all in one lane
        return await self._listing.skim(place, self._ledger.known)
