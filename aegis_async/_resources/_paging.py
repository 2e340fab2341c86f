"""Which pages of a listing to read and how: the arguments of a listing, checked when they are given."""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from aegis_async._arguments import choice, function, integer, mapping
from aegis_async._pagination import SMALLEST, Cursor, OnDrift, Prefetch
from aegis_async._session import Param
from aegis_async.errors import InvalidArgumentError

__all__ = ["PageSize", "Paging"]

PageSize: TypeAlias = int | Literal["auto"]

_MAX_PAGE_SIZE: Final = 10_000  # "page_size — integer, default 10, between 1 and 10000"


class Paging(msgspec.Struct, frozen=True):
    """Which pages of a listing to read, and how; checked when it is made.

    Attributes:
        page: The first page's number.
        page_size: Items on a page, or ``"auto"``.
        max_pages: Pages to read at most.
        prefetch: Pages in flight ahead of the consumer, or ``"auto"``.
        on_drift: What to do when the listing moves while it is read.
        cursor: Where to go on instead of beginning.
    """

    page: int = 1
    page_size: PageSize = 100
    max_pages: int | None = None
    prefetch: Prefetch = 0
    on_drift: OnDrift = "warn"
    cursor: Cursor | None = None

    def __post_init__(self) -> None:
        integer("page", self.page, minimum=1)
        _integer_or_auto("page_size", self.page_size, minimum=1, maximum=_MAX_PAGE_SIZE)
        _integer_or_auto("prefetch", self.prefetch, minimum=0)
        choice("on_drift", self.on_drift, get_args(OnDrift))
        if self.max_pages is not None:
            integer("max_pages", self.max_pages, minimum=1)
        if self.page > 1 and self.page_size == "auto":
            raise InvalidArgumentError("page must be 1 with page_size='auto', which begins with pages of its own size")
        if self.cursor is not None:
            self._check_cursor(self.cursor)

    def _check_cursor(self, cursor: Cursor) -> None:
        if not isinstance(cursor, Cursor):
            raise InvalidArgumentError(f"cursor must be a Cursor, not {type(cursor).__name__}")
        if self.page > 1:
            raise InvalidArgumentError("page must not be given with a cursor, which holds its own")
        integer("cursor.page", cursor.page, minimum=1)
        integer("cursor.offset", cursor.offset, minimum=0)
        integer("cursor.page_size", cursor.page_size, minimum=1, maximum=_MAX_PAGE_SIZE)

    def filters(self, params: Mapping[str, Param] | None) -> dict[str, Param]:
        """Give the parameters of every request beside the page's own.

        Raises:
            InvalidArgumentError: One of them has an argument of its own, or the cursor is of another listing.
        """
        filters = dict(mapping("params", params))
        for name in ("page", "page_size"):
            if name in filters:
                raise InvalidArgumentError(f"params must not hold {name!r}: it has an argument of its own")
        if self.cursor is None:
            return filters
        kept, given = self.cursor.shared, filters.get("shared")
        if kept is None and isinstance(given, bool):  # anything else than a bool no cursor holds
            raise InvalidArgumentError("shared must be left out, as in the cursor: its pages are those of all items")
        if kept is not None and given not in (None, kept):
            raise InvalidArgumentError(f"shared must be {kept} or left out, as in the cursor")
        return filters if kept is None else {**filters, "shared": kept}

    def start(self, filters: Mapping[str, Param]) -> Cursor:
        """Give where to begin."""
        if self.cursor is not None:
            return self.cursor
        shared = filters.get("shared")
        size = SMALLEST if self.page_size == "auto" else self.page_size
        return Cursor(page=self.page, page_size=size, shared=shared if isinstance(shared, bool) else None)

    def check_key(self, key: object) -> None:
        """Refuse what is no key, and to repair a listing where nothing tells the items apart.

        Raises:
            InvalidArgumentError: It is no function; or there is none, and the listing is to be repaired.
        """
        function("key", key)
        if self.on_drift == "repair" and key is None:
            raise InvalidArgumentError("on_drift must not be 'repair' without a key that tells items apart")


def _integer_or_auto(name: str, value: object, *, minimum: int, maximum: int | None = None) -> None:
    if isinstance(value, str) and value != "auto":
        raise InvalidArgumentError(f"{name} must be an integer or 'auto', not {value!r}")
    if value != "auto":
        integer(name, value, minimum=minimum, maximum=maximum)
