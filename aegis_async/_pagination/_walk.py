"""One walk through the pages, in order, some of them fetched ahead."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from aegis_async._deadline import within, without_deadline
from aegis_async._pagination._contradictions import refuse_contradiction, refuse_size
from aegis_async._pagination._listing import Place, Prefetch, Read
from aegis_async._pagination._sizes import Sizes
from aegis_async._tasks import TaskOwner, abandon, finish
from aegis_async.errors import ClientClosedError
from aegis_async.models import PageMeta

__all__ = ["Depth", "Reader", "Route", "Walk"]

T = TypeVar("T")

_DEEPEST: Final = 8  # at 20 ms latency that is 0.15 of the time; more would be memory for little


class Depth:
    """How many pages are fetched ahead: as many as are asked for, or ever more while the consumer waits for them."""

    def __init__(self, prefetch: Prefetch) -> None:
        self.pages: int = 1 if prefetch == "auto" else prefetch
        self._most = _DEEPEST if prefetch == "auto" else prefetch

    def waited(self) -> None:
        """Learn that the consumer came for a page that was not there yet."""
        self.pages = min(2 * self.pages, self._most)


class Reader(Protocol[T]):
    """Reads a page."""

    def __call__(self, place: Place, *, ahead: bool = False) -> Coroutine[object, object, Read[T]]:
        """Read the page at ``place``; ``ahead`` tells whether nobody waits for it yet."""


class Route(msgspec.Struct, Generic[T], frozen=True):
    """Which way a walk takes.

    Attributes:
        name: The listing's, for messages.
        read: Reads a page.
        tasks: Gives the owner of the pages fetched ahead.
        start: The first page.
        max_pages: Pages to read at most.
        depth: How many pages are fetched ahead.
        sizes: Their size; None keeps that of the first.
    """

    name: str
    read: Reader[T]
    tasks: Callable[[], TaskOwner]
    start: Place
    max_pages: int | None
    depth: Depth
    sizes: Sizes | None


class Walk(Generic[T]):
    """Reads page after page until ``next_page`` is null."""

    def __init__(self, route: Route[T]) -> None:
        self._route = route
        self._next: Place | None = route.start
        self._read_pages = 0
        self._ahead: deque[tuple[Place, asyncio.Task[Read[T]]]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def next(self) -> tuple[Place, Read[T]] | None:
        """Give the next page and its place, or None at the end.

        Raises:
            PaginationError: Its meta contradicts itself.
        """
        if self._next is None:
            return None
        place, read = await self._take(self._next)
        refuse_contradiction(read.meta, read.count, place, self._route.name)
        if self._route.sizes is not None:
            refuse_size(read.meta, read.count, place, self._route.name)
        self._read_pages += 1
        onward = self._onward(place, read.meta)
        if self._ahead and (onward is None or self._ahead[0][0].offset != onward.offset):
            await self._drop_ahead()
        self._next = onward
        if onward is not None:
            self._go_on(onward, place, read.meta)
        return place, read

    async def aclose(self) -> None:
        """End the walk: nothing that was fetched ahead is left when this returns."""
        self._next = None
        if self._ahead:
            await self._drop_ahead()

    def __del__(self) -> None:
        if self._loop is not None and self._ahead:
            abandon(self._loop, *(task for _, task in self._ahead))

    async def _take(self, place: Place) -> tuple[Place, Read[T]]:
        if not self._ahead:
            return place, await self._route.read(place)
        place, task = self._ahead.popleft()
        if not task.done():
            self._route.depth.waited()
        try:
            return place, await within(task, f"page {place.number} of {self._route.name}")
        except asyncio.CancelledError:
            await finish(task)
            if _was_cancelled():
                raise
        raise ClientClosedError("the client was closed while a page was fetched ahead")

    def _onward(self, came: Place, meta: PageMeta) -> Place | None:
        following = None if self._read_pages == self._route.max_pages else meta.next_page
        return None if following is None else Place(following, came.size)

    async def _drop_ahead(self) -> None:
        gone = [task for _, task in self._ahead]
        self._ahead.clear()
        await finish(*gone)

    def _go_on(self, onward: Place, came: Place, meta: PageMeta) -> None:
        if not self._ahead:
            self._next = self._fit(onward)
        if self._route.depth.pages:
            self._look_ahead(came, meta)

    def _look_ahead(self, came: Place, meta: PageMeta) -> None:
        wanted = self._wanted()
        while len(self._ahead) < wanted:
            place = self._fit(self._ahead[-1][0].after) if self._ahead else self._next
            if place is None or not _exists(place, came, meta):
                break
            self._loop = asyncio.get_running_loop()
            self._ahead.append((place, self._route.tasks().start(_read_ahead(self._route.read, place))))

    def _wanted(self) -> int:
        depth = self._route.depth.pages
        most = self._route.max_pages
        return depth if most is None else min(depth, most - self._read_pages)

    def _fit(self, place: Place) -> Place:
        return place if self._route.sizes is None else self._route.sizes.fit(place)


def _exists(place: Place, came: Place, meta: PageMeta) -> bool:
    """Whether a page is one of those that the latest answer knows of."""
    last = meta.total_pages if place.size == came.size else -(-meta.total_items // place.size)
    return place.number <= last


async def _read_ahead(read: Reader[T], place: Place) -> Read[T]:
    without_deadline()  # it goes on after the block that it was begun in
    return await read(place, ahead=True)


def _was_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
