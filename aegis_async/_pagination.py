"""From pages to items: follows ``meta.next_page`` until it is null, and refuses a listing that contradicts itself."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from typing import Generic, Protocol, Self, TypeVar

from aegis_async._arguments import integer
from aegis_async._tasks import Closing, TaskOwner, abandon, finish
from aegis_async.errors import ClientClosedError, PaginationError
from aegis_async.models import Page, PageMeta

__all__ = ["ItemIterator", "Listing", "PageIterator", "PaginationStats", "Paginator"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PaginationStats:
    """What one iteration has done so far.

    Attributes:
        pages: Pages read.
        items: Items given.
        repeats: Items not given again, because their id came before.
        total_items: The service's own count on the latest page, None before the first.
    """

    pages: int = 0
    items: int = 0
    repeats: int = 0
    total_items: int | None = None


class Fetch(Protocol[T]):
    """Gives a page of a listing."""

    def __call__(self, number: int, *, ahead: bool = False) -> Awaitable[Page[T]]:
        """Give the page of that number; ``ahead`` tells whether nobody waits for it yet."""


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """One listing of the service and how to walk it.

    Attributes:
        name: For messages.
        fetch: Gives the page of that number; ``ahead`` tells whether nobody waits for it yet.
        tasks: Gives the owner of the pages fetched ahead.
        start: The first page's number.
        max_pages: Pages to read at most.
        prefetch: Pages in flight ahead of the consumer.
        key: What makes two items the same; None takes each as its own.
    """

    name: str
    fetch: Fetch[T]
    tasks: Callable[[], TaskOwner]
    start: int
    max_pages: int | None
    prefetch: int
    key: Callable[[T], Hashable] | None


class _Counter:
    """The stats of one iteration while it goes on."""

    __slots__ = ("stats",)

    def __init__(self) -> None:
        self.stats: PaginationStats = PaginationStats()

    def page(self, meta: PageMeta) -> None:
        self.stats = replace(self.stats, pages=self.stats.pages + 1, total_items=meta.total_items)

    def items(self, given: int, repeats: int) -> None:
        self.stats = replace(self.stats, items=self.stats.items + given, repeats=self.stats.repeats + repeats)


class Paginator(Generic[T]):
    """A listing, page after page; nothing is requested before it is iterated.

    Each ``async for`` walks the listing anew. An item whose id came before in the same iteration is not given
    again, which takes about 100 bytes of memory an id.

    Example:
        ::

            async for summary in client.data_collections.list(page_size=100):
                print(summary.name)
    """

    def __init__(self, listing: Listing[T]) -> None:
        self._listing = listing
        self._counter = _Counter()

    def __repr__(self) -> str:
        return f"<Paginator of {self._listing.name}>"

    @property
    def stats(self) -> PaginationStats:
        """What the latest iteration has done so far."""
        return self._counter.stats

    def __aiter__(self) -> "ItemIterator[T]":
        return ItemIterator(self.pages(), self._counter, self._listing.key)

    def pages(self) -> "PageIterator[T]":
        """Give the pages as the service sent them, one request each.

        Stops when ``meta.next_page`` is null, never on an empty page. Repeats are left in ``Page.items``.

        Raises:
            PaginationError: On iteration: ``meta`` contradicts itself, so that going on could lose items.

        Source: "Get all data collections (paginated)", Responses.
        """
        self._counter = _Counter()
        return PageIterator(self._listing, self._counter)

    async def first(self) -> T | None:
        """Give the first item, or None when there is none."""
        return next(iter(await self.take(1)), None)

    async def take(self, n: int) -> list[T]:
        """Give the first ``n`` items, or all when there are fewer."""
        return await self.collect(limit=n)

    async def collect(self, limit: int | None = None) -> list[T]:
        """Give every item as a list, or the first ``limit`` of them.

        Args:
            limit: Items at most, zero or more; pages beyond it are not requested.

        Raises:
            InvalidArgumentError: ``limit`` is negative or no int.
        """
        if limit is not None and integer("limit", limit, minimum=0) == 0:
            return []
        found: list[T] = []
        async with aiter(self) as items:
            async for item in items:
                found.append(item)
                if len(found) == limit:
                    break
        return found


class PageIterator(Closing, AsyncIterator[Page[T]]):
    """Walks the pages of one listing; also an async context manager that ends what was fetched ahead."""

    def __init__(self, listing: Listing[T], counter: _Counter) -> None:
        self._listing = listing
        self._counter = counter
        self._next: int | None = listing.start
        self._ahead: deque[tuple[int, asyncio.Task[Page[T]]]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[T]:
        if self._next is None:
            raise StopAsyncIteration
        try:
            page = await self._page(self._next)
            _check(page, self._next, self._listing.name)
        except BaseException:
            await self.aclose()
            raise
        self._counter.page(page.meta)
        pages = self._counter.stats.pages
        self._next = page.meta.next_page if pages != self._listing.max_pages else None
        await self._look_ahead(page.meta.total_pages)
        return page

    async def aclose(self) -> None:
        """End the iteration: nothing that was fetched ahead is left when this returns."""
        self._next = None
        ahead = [task for _, task in self._ahead]
        self._ahead.clear()
        if ahead:
            await finish(*ahead)

    def __del__(self) -> None:
        if self._loop is not None and self._ahead:
            abandon(self._loop, *(task for _, task in self._ahead))

    async def _page(self, number: int) -> Page[T]:
        if not self._ahead:
            return await self._listing.fetch(number)
        _, task = self._ahead.popleft()
        try:
            return await task
        except asyncio.CancelledError:
            await finish(task)
            if _was_cancelled():
                raise
        raise ClientClosedError("the client was closed while a page was fetched ahead")

    async def _look_ahead(self, total_pages: int) -> None:
        if self._ahead and self._ahead[0][0] != self._next:
            gone = [task for _, task in self._ahead]
            self._ahead.clear()
            await finish(*gone)
        if self._next is None or not self._listing.prefetch:
            return
        self._loop = asyncio.get_running_loop()
        begun = self._next + len(self._ahead)
        for number in range(begun, 1 + min(total_pages, self._last_wanted())):
            self._ahead.append((number, self._listing.tasks().start(_fetched(self._listing, number))))

    def _last_wanted(self) -> int:
        first = self._next or 0
        ahead = self._listing.prefetch
        if self._listing.max_pages is not None:
            ahead = min(ahead, self._listing.max_pages - self._counter.stats.pages)
        return first + ahead - 1


class ItemIterator(Closing, AsyncIterator[T]):
    """Walks the items of one listing, each id once; also an async context manager."""

    def __init__(self, pages: PageIterator[T], counter: _Counter, key: Callable[[T], Hashable] | None) -> None:
        self._pages = pages
        self._counter = counter
        self._key = key
        self._seen: set[Hashable] = set()
        self._items: Iterator[T] = iter(())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while True:
            for item in self._items:
                return item
            page = await anext(self._pages)
            self._items = iter(self._new(page))

    def _new(self, page: Page[T]) -> tuple[T, ...] | list[T]:
        if self._key is None:
            self._counter.items(len(page.items), 0)
            return page.items
        new = []
        for item in page.items:
            key = self._key(item)
            if key not in self._seen:
                self._seen.add(key)
                new.append(item)
        self._counter.items(len(new), len(page.items) - len(new))
        return new

    async def aclose(self) -> None:
        """End the iteration: nothing that was fetched ahead is left when this returns."""
        self._items = iter(())
        await self._pages.aclose()


async def _fetched(listing: Listing[T], number: int) -> Page[T]:
    return await listing.fetch(number, ahead=True)


def _was_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _check(page: Page[T], asked: int, name: str) -> None:
    meta = page.meta
    if meta.has_next != (meta.next_page is not None):
        complaint = f"has_next is {meta.has_next}, but next_page is {meta.next_page}"
    elif meta.next_page is None and not page.items:
        return  # a page beyond the end
    elif meta.current_page != asked:
        complaint = f"page {meta.current_page} came"
    else:
        complaint = _next_complaint(meta)
    if complaint:
        raise PaginationError(f"{name}, page {asked}: {complaint}; going on could lose items")


def _next_complaint(meta: PageMeta) -> str:
    following = meta.next_page
    if following is None:
        return ""
    if following <= meta.current_page:
        return f"next_page {following} does not advance"
    if following > meta.total_pages:
        return f"next_page {following} lies beyond total_pages {meta.total_pages}"
    return ""
