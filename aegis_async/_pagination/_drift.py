"""What the pages of one sweep show of a listing that moves.

A page is cut at one moment, so within it nothing is torn; only between two pages does the listing move. An item that
is created before the reader's place pushes one onto the next page, where it comes again; one that is deleted there
pulls one back onto a page that was read already, where nobody sees it. Both change ``total_items``, unless the other
happens as well.
"""

from aegis_async._pagination._listing import Place
from aegis_async.models import PageMeta

__all__ = ["Watch"]


class Watch:
    """Looks at the pages of one sweep, one after the other."""

    def __init__(self) -> None:
        self.pages: int = 0
        self.total: int = 0
        """What the first page stated."""
        self.is_steady: bool = True
        """Whether every page stated the same total."""
        self._before: tuple[Place, PageMeta] | None = None

    def see(self, place: Place, meta: PageMeta, count: int, repeats: int) -> str:
        """Give the first sign of movement that a page shows, in words, or nothing."""
        before, self._before = self._before, (place, meta)
        self.pages += 1
        if before is None:
            self.total = meta.total_items
        elif self.total != meta.total_items:
            self.is_steady = False
        sign = _sign(before, place, meta, count, repeats)
        return sign and f"page {place.number}: {sign}"


def _sign(before: tuple[Place, PageMeta] | None, place: Place, meta: PageMeta, count: int, repeats: int) -> str:
    moved = _moved(*before, place, meta) if before is not None else ""
    if moved:
        return moved
    if repeats:
        return f"{repeats} of its items came before"
    if count != meta.items_on_page:
        return f"items_on_page is {meta.items_on_page}, but {count} came"
    if meta.next_page is not None and meta.next_page > place.number + 1:
        return f"next_page skips to {meta.next_page}"
    return ""


def _moved(before: Place, told: PageMeta, place: Place, meta: PageMeta) -> str:
    if told.total_items != meta.total_items:
        return f"total_items went from {told.total_items} to {meta.total_items}"
    if before.size == place.size and told.total_pages != meta.total_pages:
        return f"total_pages went from {told.total_pages} to {meta.total_pages}"
    return ""
