"""The two general calls that every resource stands on: fetch one answer, paginate a listing."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from types import EllipsisType
from typing import Any, Final, TypeVar, get_origin

import msgspec

from aegis_async._arguments import integer
from aegis_async._decode import Decode, Decoders
from aegis_async._pagination import Listing, Paginator
from aegis_async._session import Options, Param, Request, Session
from aegis_async._tasks import TaskOwner
from aegis_async.errors import InvalidArgumentError
from aegis_async.models import Page

__all__ = ["Api", "Key", "Paging"]

T = TypeVar("T")
Key = Callable[[T], Hashable] | None

_MAX_PAGE_SIZE: Final = 10_000  # "page_size — integer, default 10, between 1 and 10000"


@dataclass(frozen=True, slots=True)
class Paging:
    """Which pages of a listing to read, and how; checked when it is made.

    Attributes:
        page: The first page's number.
        page_size: Items on a page.
        max_pages: Pages to read at most.
        prefetch: Pages in flight ahead of the consumer.
    """

    page: int = 1
    page_size: int = 100
    max_pages: int | None = None
    prefetch: int = 0

    def __post_init__(self) -> None:
        integer("page", self.page, minimum=1)
        integer("page_size", self.page_size, minimum=1, maximum=_MAX_PAGE_SIZE)
        integer("prefetch", self.prefetch, minimum=0)
        if self.max_pages is not None:
            integer("max_pages", self.max_pages, minimum=1)


class Api:
    """The calls of one view on a client: a session shared with all of its views, and options of its own."""

    def __init__(self, session: Session, options: Options, decoders: Decoders) -> None:
        self.session = session
        self.options = options
        self.decoders = decoders

    def with_options(self, options: Options) -> "Api":
        """Give a view on the same session with other options."""
        return Api(self.session, options, self.decoders)

    def tasks(self) -> TaskOwner:
        """Give the owner of background tasks in the running loop."""
        return self.session.tasks()

    async def fetch(self, path: str, type_: type[T], params: Mapping[str, Param] | None = None) -> T:
        """Give one answer decoded into ``type_``."""
        return await self.fetch_with(path, self.decoders.of(type_), params)

    async def fetch_with(
        self, path: str, decode: Decode[T], params: Mapping[str, Param] | None = None, *, max_size: int | None = None
    ) -> T:
        """Give one answer as ``decode`` makes it; ``max_size`` stands above the client's own limit."""
        request = Request.get(self.session.base, path, params, max_size=max_size)
        return await self.session.call(request, decode, self.options)

    def paginate(
        self,
        path: str,
        item_type: type[T],
        paging: Paging,
        params: Mapping[str, Param] | None = None,
        key: Key[T] | EllipsisType = ...,
    ) -> Paginator[T]:
        """Give the listing at ``path``, checked before anything is sent."""
        filters = dict(params or {})
        for name in ("page", "page_size"):
            if name in filters:
                raise InvalidArgumentError(f"params must not hold {name!r}: it has an argument of its own")
        organization_only = filters.get("shared") is True
        decode = self.decoders.of(Page[item_type])  # type: ignore[valid-type]  # a type held in a variable

        def request(number: int) -> Request:
            paged = {"page": number, "page_size": paging.page_size, **filters}
            return Request.get(self.session.base, path, paged, organization_only=organization_only)

        async def fetch(number: int) -> Page[T]:
            return await self.session.call(request(number), decode, self.options)

        request(paging.page)  # a path or a parameter that cannot be sent is refused here, not at the first page
        same = _id_of(item_type) if isinstance(key, EllipsisType) else key
        return Paginator(Listing(path, fetch, self.tasks, paging.page, paging.max_pages, paging.prefetch, same))


def _id_of(item_type: type[T]) -> Key[T]:
    struct: Any = get_origin(item_type) or item_type
    fields = getattr(struct, "__struct_fields__", ()) if isinstance(struct, msgspec.StructMeta) else ()
    return attrgetter("id") if "id" in fields else None
