"""What a page must not say of its own place: going on could lose items."""

from aegis_async._pagination._listing import Place
from aegis_async.errors import PaginationError
from aegis_async.models import PageMeta

__all__ = ["refuse_contradiction", "refuse_size"]


def refuse_contradiction(meta: PageMeta, count: int, asked: Place, name: str) -> None:
    """Raise if a page of ``count`` items contradicts itself or its place.

    Raises:
        PaginationError: With the listing, the page and the reason in its text.
    """
    complaint = _complaint(meta, count, asked.number)
    if complaint:
        raise PaginationError(f"{name}, page {asked.number}: {complaint}; going on could lose items")


def refuse_size(meta: PageMeta, count: int, asked: Place, name: str) -> None:
    """Raise if pages are not of the size that their numbers are counted in.

    Raises:
        PaginationError: The service cut the page at another size than was asked for.
    """
    if count and meta.page_size != asked.size:
        raise PaginationError(
            f"{name}, page {asked.number}: page_size {meta.page_size} came where {asked.size} was asked for; "
            f"page_size='auto' needs a service that keeps to it"
        )


def _complaint(meta: PageMeta, count: int, asked: int) -> str:
    if meta.has_next != (meta.next_page is not None):
        return f"has_next is {meta.has_next}, but next_page is {meta.next_page}"
    if meta.next_page is None and not count:
        return ""  # a page beyond the end
    if meta.current_page != asked:
        return f"page {meta.current_page} came"
    return _next_complaint(meta)


def _next_complaint(meta: PageMeta) -> str:
    following = meta.next_page
    if following is None:
        return ""
    if following <= meta.current_page:
        return f"next_page {following} does not advance"
    if following > meta.total_pages:
        return f"next_page {following} lies beyond total_pages {meta.total_pages}"
    return ""
