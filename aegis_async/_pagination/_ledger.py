"""What one iteration has read, given and noticed."""

import logging
from collections.abc import Container, Hashable, Iterator, Sequence
from dataclasses import dataclass
from operator import length_hint
from typing import Final, Generic, TypeVar

import msgspec

from aegis_async._completeness import ListingReport
from aegis_async._pagination._cursor import Cursor
from aegis_async._pagination._drift import Watch
from aegis_async._pagination._listing import Listing, Place, Read
from aegis_async._pagination._sightings import Sightings
from aegis_async._pagination._verdict import PROOFS, Facts, evidence, reason, unequal
from aegis_async.errors import PaginationError
from aegis_async.models import Page, PageMeta

__all__ = ["Ledger", "PaginationStats"]

T = TypeVar("T")

log: Final = logging.getLogger("aegis_async")


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


class _Open(msgspec.Struct, eq=False):
    """The page that is being given, without its items: they are the consumer's, and soon nobody's."""

    place: Place
    count: int
    keys: Sequence[Hashable] | None
    new: Sequence[int]


class Ledger(Generic[T]):
    """Keeps the accounts of one iteration. It knows no iterator, so that an abandoned one can be collected."""

    def __init__(self, listing: Listing[T]) -> None:
        self._listing = listing
        self._sightings = Sightings(listing.start.ids)
        self._watch = Watch()
        self._sign = ""
        self._ended = False
        self._pages = self._items = self._repeats = 0
        self._total_first: int | None = None
        self._total_last: int | None = None
        self._open: _Open | None = None
        self._end: Cursor | None = None
        self._waiting: Iterator[T] = iter(())

    @property
    def known(self) -> Container[Hashable]:
        """The keys that came in any sweep."""
        return self._sightings

    @property
    def stats(self) -> PaginationStats:
        """What was done so far."""
        return PaginationStats(self._pages, self._items - length_hint(self._waiting), self._repeats, self._total_last)

    @property
    def report(self) -> ListingReport:
        """What was read so far, and what it proves."""
        stats, facts = self.stats, self._facts()
        found = evidence(facts)
        return ListingReport(
            pages=stats.pages,
            items=stats.items,
            repeats=stats.repeats,
            total_first=self._total_first,
            total_last=stats.total_items,
            sweeps=facts.sweeps,
            evidence=found,
            complete=found in PROOFS and self._listing.is_whole,
            reason=reason(facts),
        )

    @property
    def cursor(self) -> Cursor:
        """Where the item stands that was given last; what a later sweep finds has no place of its own."""
        start, opened = self._listing.start, self._open
        if self._end is not None or opened is None:
            return self._end or start
        waiting = length_hint(self._waiting)
        offset = opened.new[-waiting] if waiting else opened.count
        given = (opened.keys or ())[:offset]
        ids = tuple(key for key in given if isinstance(key, int | str))
        return Cursor(
            page=opened.place.number,
            offset=offset,
            page_size=opened.place.size,
            shared=start.shared,
            ids=ids if len(ids) == len(given) else (),
        )

    def take(self, place: Place, read: Read[T]) -> Page[T] | None:
        """Note a page, and give it where it is to be given: in the first sweep, or with an item that is new.

        Raises:
            PaginationError: The listing moved, and that is to be an error.
        """
        resumes = self._pages == 0 and self._listing.start.offset > 0
        new, repeats = self._resumed(read) if resumes else self._see(read)
        self._count(read.meta)
        self._notice(self._watch.see(place, read.meta, read.count, repeats))
        self._items += len(new)
        is_late = self._sightings.sweep > 1
        if read.page is None or (is_late and not new):
            return None
        if not is_late:
            self._repeats += repeats
        self._open = _Open(place, read.count, read.keys, new)
        return None if resumes and not new else read.page

    def new_items(self, page: Page[T]) -> Iterator[T]:
        """Give the items of the page taken last that were not given before."""
        new = self._open.new if self._open else ()
        items = page.items
        self._waiting = iter(items if len(new) == len(items) else [items[position] for position in new])
        return self._waiting

    def end_sweep(self) -> bool:
        """Close a sweep, and tell whether there is to be another.

        Raises:
            PaginationError: The sum shows that the listing moved, and that is to be an error.
        """
        self._ended = True
        facts = self._facts()
        if self._listing.on_drift != "repair":
            if self._listing.is_whole and facts.has_key and not facts.adds_up:
                self._notice(unequal(facts))
            return False
        if evidence(facts) in PROOFS:
            return False
        if facts.sweeps == self._listing.max_sweeps:
            log.warning("%s may not be complete: %s", self._listing.name, reason(facts))
            return False
        self._ended = False
        self._end = self.cursor  # of the first sweep: later ones have no place of their own
        self._sightings.begin_sweep()
        self._watch = Watch()
        return True

    def _see(self, read: Read[T]) -> tuple[Sequence[int], int]:
        if read.keys is not None:
            return self._sightings.see(read.keys)
        self._sightings.distinct += read.count  # each its own
        return range(read.count), 0

    def _resumed(self, read: Read[T]) -> tuple[Sequence[int], int]:
        """Look at the page on which an earlier iteration stood: what it gave is no repeat."""
        new, _ = self._see(read)
        start = self._listing.start
        return new if start.ids else [position for position in new if position >= start.offset], 0

    def _count(self, meta: PageMeta) -> None:
        self._pages += 1
        self._total_last = meta.total_items
        if self._total_first is None:
            self._total_first = meta.total_items

    def _notice(self, sign: str) -> None:
        if not sign:
            return
        listing, is_first = self._listing, not self._sign
        self._sign = self._sign or sign
        if listing.on_drift == "raise":
            raise PaginationError(f"{listing.name} moved while it was read: {sign}; items may be missing")
        if listing.on_drift == "warn" and is_first:
            log.warning(
                "%s moved while it was read: %s; items may be missing, which on_drift='repair' mends",
                listing.name,
                sign,
            )

    def _facts(self) -> Facts:
        listing, watch, sightings = self._listing, self._watch, self._sightings
        return Facts(
            ended=self._ended,
            part=_part(listing),
            begins_at_start=listing.begins_at_start,
            has_key=listing.key is not None,
            sweeps=sightings.sweep if self._pages else 0,
            pages=watch.pages,
            distinct=sightings.distinct,
            total=watch.total,
            is_steady=watch.is_steady,
            agreed=sightings.agreed,
            sign=self._sign,
        )


def _part(listing: Listing[T]) -> str:
    """Say what part of the listing is read; nothing when it is the whole."""
    item = f"item {listing.start.offset + 1} of " if listing.start.offset else ""
    begun = "" if listing.begins_at_start else f"from {item}page {listing.start.page} on"
    bounded = "" if listing.max_pages is None else f"with max_pages={listing.max_pages}"
    how = " and ".join(filter(None, (begun, bounded)))
    return how and f"it was read {how}"
