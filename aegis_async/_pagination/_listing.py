"""What to walk and how: a listing, the places in it, and what one page of it tells."""

from collections.abc import Awaitable, Callable, Container, Hashable, Sequence
from typing import Final, Generic, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

import msgspec

from aegis_async._pagination._cursor import Cursor
from aegis_async._tasks import TaskOwner
from aegis_async.models import Page, PageMeta

__all__ = ["Fetch", "Listing", "OnDrift", "Place", "Prefetch", "Read", "Skim", "Told"]

T = TypeVar("T")
OnDrift: TypeAlias = Literal["ignore", "warn", "raise", "repair"]
Prefetch: TypeAlias = int | Literal["auto"]
Told: TypeAlias = Callable[[float], None]

_SKIM_SIZE: Final = 1000  # the ids of 1000 summaries take 3 ms to find, and fewer pages have fewer seams
_MAX_SWEEPS: Final = 5  # a listing that moves in each of them will move in the next as well


class Place(NamedTuple):
    """A page of a listing, by its number among pages of one size."""

    number: int
    size: int

    @property
    def offset(self) -> int:
        """How many items stand before it."""
        return (self.number - 1) * self.size

    @property
    def after(self) -> "Place":
        """The next page of the same size."""
        return Place(self.number + 1, self.size)


class Read(msgspec.Struct, Generic[T]):
    """What one answer tells.

    Attributes:
        meta: Where the page stands.
        count: Items on it.
        keys: Its items' keys in their order; None where the listing has no key.
        page: The page as it was sent; None where only its ids were wanted and all of them are known.
    """

    meta: PageMeta
    count: int
    keys: Sequence[Hashable] | None
    page: Page[T] | None

    @classmethod
    def whole(cls, page: Page[T], key: Callable[[T], Hashable] | None) -> "Read[T]":
        """Read a page that has come in full."""
        return cls(page.meta, len(page.items), None if key is None else list(map(key, page.items)), page)


class Fetch(Protocol[T]):
    """Gives a page of a listing."""

    def __call__(self, place: Place, *, ahead: bool = False, told: Told | None = None) -> Awaitable[Page[T]]:
        """Give the page at ``place``.

        Args:
            place: Its number and size.
            ahead: Whether nobody waits for it yet.
            told: Called with the seconds for which decoding it kept the loop.
        """


class Skim(Protocol[T]):
    """Reads the ids of a page."""

    def __call__(self, place: Place, known: Container[Hashable]) -> Awaitable[Read[T]]:
        """Read the page at ``place``; its items are decoded only if one of them is not ``known``."""


class Listing(msgspec.Struct, Generic[T], frozen=True):
    """One listing of the service and how to walk it.

    Attributes:
        name: For messages.
        fetch: Gives a page.
        skim: Gives the ids of a page, for the sweeps after the first.
        tasks: Gives the owner of the pages fetched ahead.
        key: What makes two items the same; None takes each as its own.
        start: Where to begin.
        grows: Whether pages grow while they are quickly decoded.
        max_pages: Pages to read at most in each sweep.
        prefetch: Pages in flight ahead of the consumer.
        on_drift: What to do when the listing moves.
        skim_size: Items on a page of a sweep that only wants ids.
        max_sweeps: Sweeps at most.
    """

    name: str
    fetch: Fetch[T]
    skim: Skim[T]
    tasks: Callable[[], TaskOwner]
    key: Callable[[T], Hashable] | None
    start: Cursor = Cursor()
    grows: bool = False
    max_pages: int | None = None
    prefetch: Prefetch = 0
    on_drift: OnDrift = "warn"
    skim_size: int = _SKIM_SIZE
    max_sweeps: int = _MAX_SWEEPS

    @property
    def begins_at_start(self) -> bool:
        """Whether nothing stands before its first item."""
        return self.start.page == 1 and self.start.offset == 0

    @property
    def is_whole(self) -> bool:
        """Whether it is all that the service lists."""
        return self.begins_at_start and self.max_pages is None

    @property
    def first(self) -> Place:
        """Where its first sweep begins."""
        return Place(self.start.page, self.start.page_size)

    @property
    def again(self) -> Place:
        """Where its other sweeps begin: with large pages, unless it is a part, which is so many pages of one size."""
        return Place(1, max(self.skim_size, self.start.page_size)) if self.is_whole else self.first
