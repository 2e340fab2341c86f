"""A listing as users hold it: nothing is requested before it is iterated."""

from collections.abc import Generator
from typing import Generic, TypeVar

from aegis_async._arguments import integer
from aegis_async._completeness import ListingReport
from aegis_async._pagination._contradictions import refuse_contradiction
from aegis_async._pagination._cursor import Cursor
from aegis_async._pagination._items import ItemIterator
from aegis_async._pagination._ledger import Ledger, PaginationStats
from aegis_async._pagination._listing import Listing, Place
from aegis_async._pagination._pages import PageIterator
from aegis_async.models import Page

__all__ = ["Paginator"]

T = TypeVar("T")


class Paginator(Generic[T]):
    """A listing, page after page; nothing is requested before it is iterated.

    Each ``async for`` walks the listing anew. An item whose id came before in the same iteration is not given
    again, which takes about 100 bytes of memory an id. ``await`` gives the first page.

    The service pages by number, so what is created or deleted meanwhile shifts every later page. A repeated id or a
    total that changes shows it, but a deletion early and an insertion late leave both as they were: no single walk
    over several pages can prove that nothing was missed. ``on_drift="repair"`` walks again until two walks agree,
    and ``report`` says what is proven.

    Example:
        ::

            async for summary in client.data_collections.list(page_size=100):
                print(summary.name)
    """

    def __init__(self, listing: Listing[T]) -> None:
        self._listing = listing
        self._ledger = Ledger(listing)

    def __repr__(self) -> str:
        return f"<Paginator of {self._listing.name}>"

    @property
    def stats(self) -> PaginationStats:
        """What the latest iteration has done so far."""
        return self._ledger.stats

    @property
    def report(self) -> ListingReport:
        """What the latest iteration read, and whether that is proven to be everything; final after its end."""
        return self._ledger.report

    @property
    def cursor(self) -> Cursor:
        """Where the latest iteration stands, behind the item or page given last; ``list(cursor=…)`` goes on there."""
        return self._ledger.cursor

    def __aiter__(self) -> ItemIterator[T]:
        pages = self.pages()
        return ItemIterator(pages, self._ledger)

    def __await__(self) -> Generator[object, object, Page[T]]:
        return self._first_page().__await__()

    def pages(self) -> PageIterator[T]:
        """Give the pages as the service sent them, one request each.

        Stops when ``meta.next_page`` is null, never on an empty page. Repeats are left in ``Page.items``. With
        ``on_drift="repair"`` the pages of later sweeps that hold an item never seen before come at the end.

        Raises:
            PaginationError: On iteration: ``meta`` contradicts itself, so that going on could lose items; or the
                listing moved, with ``on_drift="raise"``.

        Source: "Get all data collections (paginated)", Responses.
        """
        self._ledger = Ledger(self._listing)
        return PageIterator(self._listing, self._ledger)

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

    async def count(self) -> int:
        """Give the service's own count of the whole listing, whatever the page to begin with; one small request."""
        page = await self._listing.fetch(Place(1, 1))
        return page.meta.total_items

    async def _first_page(self) -> Page[T]:
        place = self._listing.first
        page = await self._listing.fetch(place)
        refuse_contradiction(page.meta, len(page.items), place, self._listing.name)
        return page
