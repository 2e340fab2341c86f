"""From pages to items: walks a listing, notices when it moves, and says what the walk proves."""

from aegis_async._completeness import ListingReport
from aegis_async._pagination._cursor import Cursor
from aegis_async._pagination._items import ItemIterator
from aegis_async._pagination._ledger import PaginationStats
from aegis_async._pagination._listing import Fetch, Listing, OnDrift, Place, Prefetch, Read, Skim, Told
from aegis_async._pagination._pages import PageIterator
from aegis_async._pagination._paginator import Paginator
from aegis_async._pagination._sizes import SMALLEST

__all__ = [
    "SMALLEST",
    "Cursor",
    "Fetch",
    "ItemIterator",
    "Listing",
    "ListingReport",
    "OnDrift",
    "PageIterator",
    "PaginationStats",
    "Paginator",
    "Place",
    "Prefetch",
    "Read",
    "Skim",
    "Told",
]
