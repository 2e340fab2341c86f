"""The ids to fetch: those of the listing, or those that the caller names; each once."""

from collections.abc import AsyncIterator, Iterable, Sized
from typing import Protocol

from aegis_async._pagination import Paginator
from aegis_async.export._report import ListingEvidence
from aegis_async.models import DataCollectionSummary, PageMeta

__all__ = ["GivenIds", "IdSource", "ListedIds"]


class IdSource(Protocol):
    """Where the ids come from."""

    @property
    def total(self) -> int | None:
        """How many there will be, as far as it is known."""

    def ids(self) -> AsyncIterator[int]:
        """Yield each id once."""

    def evidence(self) -> ListingEvidence | None:
        """Give what is known of the completeness of what was yielded."""


class GivenIds:
    """The ids that a caller names, repeats left out."""

    def __init__(self, given: Iterable[int]) -> None:
        self._given = given

    @property
    def total(self) -> int | None:
        """How many were given, repeats included; None for an iterator, which cannot tell."""
        return len(self._given) if isinstance(self._given, Sized) else None

    async def ids(self) -> AsyncIterator[int]:
        """Yield each id once, in the order in which they were given."""
        seen = set[int]()
        for id_ in self._given:
            if id_ not in seen:
                seen.add(id_)
                yield id_

    def evidence(self) -> None:
        """Give nothing: what the caller names is all that is wanted."""


class ListedIds:
    """The ids of a listing, page after page, as they are needed."""

    def __init__(self, listing: Paginator[DataCollectionSummary]) -> None:
        self._listing = listing
        self._seen = set[int]()
        self._pages = 0
        self._repeats = 0
        self._first: PageMeta | None = None
        self._last: PageMeta | None = None

    @property
    def total(self) -> int | None:
        """What the last page stated."""
        return self._last.total_items if self._last else None

    async def ids(self) -> AsyncIterator[int]:
        """Yield each id once, in the service's order."""
        async with self._listing.pages() as pages:
            async for page in pages:
                self._pages += 1
                self._first = self._first or page.meta
                self._last = page.meta
                for item in page.items:
                    if item.id in self._seen:
                        self._repeats += 1
                    else:
                        self._seen.add(item.id)
                        yield item.id

    def evidence(self) -> ListingEvidence:
        """Give what the pages said of the completeness of the listing."""
        first, last, items = self._first, self._last, len(self._seen)
        ended = last is not None and last.next_page is None
        totals = {meta.total_items for meta in (first, last) if meta}
        return ListingEvidence(
            pages=self._pages,
            items=items,
            repeats=self._repeats,
            total_first=first.total_items if first else None,
            total_last=last.total_items if last else None,
            complete=ended and totals == {items},
        )
