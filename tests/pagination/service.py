"""A listing of numbers in memory, which can be bent between two requests."""

import asyncio
from collections.abc import Callable, Container, Hashable
from typing import Any

import msgspec
from msgspec.structs import replace

from aegis_async._pagination import Cursor, Listing, Paginator, Place, Read, Told
from aegis_async._tasks import TaskOwner
from aegis_async.models import Page, PageMeta


class Service:
    """Cuts pages as the service does, and keeps count of what was asked.

    Args:
        items: What it lists, changed at will.
        page_size: Items on a page, where nothing else is asked for.
    """

    def __init__(self, items: list[int], page_size: int) -> None:
        self.items = items
        self.page_size = page_size
        self.asked: list[int] = []
        self.places: list[Place] = []
        self.ahead = 0
        self.skimmed: list[Place] = []
        self.owner = TaskOwner()
        self.before: Callable[[int], None] = lambda _number: None
        self.gates: dict[int, asyncio.Event] = {}
        self.bend: Callable[[Page[int]], Page[int]] = lambda page: page
        self.seconds: Callable[[Place], float] = lambda _place: 0.0

    async def page(self, place: Place, *, ahead: bool = False, told: Told | None = None) -> Page[int]:
        """Give one page as the service cuts it at this moment."""
        self.asked.append(place.number)
        self.places.append(place)
        self.ahead += ahead
        self.before(place.number)
        if place.number in self.gates:
            await self.gates[place.number].wait()
        await asyncio.sleep(0)
        if told is not None:
            told(self.seconds(place))
        return self.bend(self.cut(place))

    async def skim(self, place: Place, known: Container[Hashable]) -> Read[int]:
        """Read the ids of one page."""
        self.skimmed.append(place)
        page = await self.page(place)
        if all(item in known for item in page.items):
            return Read(page.meta, len(page.items), page.items, None)
        return Read.whole(page, _itself)

    def cut(self, place: Place) -> Page[int]:
        """Give one page with a true meta."""
        total = -(-len(self.items) // place.size)
        items = tuple(self.items[place.offset : place.offset + place.size])
        following = place.number + 1 if place.number < total else None
        meta = PageMeta(
            place.number,
            place.size,
            len(self.items),
            len(items),
            total,
            following is not None,
            place.number > 1,
            following,
            None,
        )
        return Page(items, meta)

    def listing(self, *, start: int | Cursor = 1, **changes: Any) -> Listing[int]:
        """Give this listing, to be walked as ``changes`` say."""
        cursor = start if isinstance(start, Cursor) else Cursor(page=start, page_size=self.page_size)
        return replace(Listing("/numbers", self.page, self.skim, lambda: self.owner, _itself, start=cursor), **changes)

    def paginator(self, **changes: Any) -> Paginator[int]:
        """Give a paginator over this listing."""
        return Paginator(self.listing(**changes))

    @property
    def in_flight(self) -> int:
        """How many pages are being fetched ahead."""
        return sum(not task.done() for task in self.owner._tasks)


def bent(**changes: Any) -> Callable[[Page[int]], Page[int]]:
    """Give a bend that changes the meta of page 2."""

    def bend(page: Page[int]) -> Page[int]:
        if page.meta.current_page != 2:
            return page
        return Page(page.items, msgspec.structs.replace(page.meta, **changes))

    return bend


def _itself(item: int) -> Hashable:
    return item
