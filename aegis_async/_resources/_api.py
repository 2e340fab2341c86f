"""The two general calls that every resource stands on: fetch one answer, paginate a listing."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from types import EllipsisType
from typing import Any, Final, TypeVar, get_origin

import msgspec

from aegis_async._arguments import integer
from aegis_async._cache import Aged, Cache, Fetched
from aegis_async._decode import BodyDecoder, Decoders
from aegis_async._flight import Flights
from aegis_async._pagination import Listing, Paginator
from aegis_async._session import Call, Options, Param, Request, Session
from aegis_async._tasks import TaskOwner
from aegis_async.errors import InvalidArgumentError
from aegis_async.models import Page

__all__ = ["Api", "Decode", "Key", "Paging", "Shared"]

T = TypeVar("T")
Decode = Callable[[bytes | bytearray], T]
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


@dataclass(frozen=True, slots=True)
class Shared:
    """What all views on a client share beside its session.

    Attributes:
        decoders: One for each type.
        flights: Identical requests under way; None lets each go by itself.
        cache: Answers kept; None keeps none.
        space: What tells this client's entries in the cache from another's.
    """

    decoders: Decoders
    flights: Flights | None = None
    cache: Cache | None = None
    space: Hashable = None


class Api:
    """The calls of one view on a client: a session shared with all of its views, and options of its own.

    Args:
        session: The way to the service.
        options: This view's own.
        shared: What all views share.
    """

    def __init__(self, session: Session, options: Options, shared: Shared) -> None:
        self.session = session
        self.options = options
        self.decoders = shared.decoders
        self.cache = shared.cache
        self._shared = shared
        self._flights = shared.flights

    def with_options(self, options: Options) -> "Api":
        """Give a view on the same session with other options."""
        return Api(self.session, options, self._shared)

    def tasks(self) -> TaskOwner:
        """Give the owner of background tasks in the running loop."""
        return self.session.tasks()

    async def fetch(
        self, path: str, type_: type[T], params: Mapping[str, Param] | None = None, *, bulk: bool = False
    ) -> T:
        """Give one answer decoded into ``type_``; ``bulk`` names the lane that it takes by default."""
        decoder = self.decoders.of(type_)
        if self.cache is not None and self._is_kept(decoder, bulk=bulk):
            return (await self._read(self.cache, path, decoder, params)).value
        return await self.give(Request.get(self.session.base, path, params), decoder, bulk=bulk)

    async def fetch_aged(
        self, path: str, type_: type[T], params: Mapping[str, Param] | None = None, *, fresh: bool = False
    ) -> Aged[T]:
        """Give one answer with its age; ``fresh`` asks the service whatever is kept."""
        decoder = self.decoders.of(type_)
        if self.cache is not None and self._is_kept(decoder, bulk=False):
            return await self._read(self.cache, path, decoder, params, fresh=fresh)
        value = await self.give(Request.get(self.session.base, path, params), decoder, bulk=False)
        return Aged(value, 0.0, stale=False)

    async def fetch_with(self, path: str, decode: Decode[T], params: Mapping[str, Param] | None = None) -> T:
        """Give one answer as ``decode`` makes it, in the bulk lane."""
        request = Request.get(self.session.base, path, params)
        return await self.session.call(Call(request, decode, self.options, bulk=True))

    async def give(self, request: Request, decoder: BodyDecoder[T], *, bulk: bool) -> T:
        """Give one answer of the service, shared with whoever asks for the same in the interactive lane."""
        return await self._flown(Call(request, decoder, self.options, bulk=bulk), decoder)

    async def ping(self) -> None:
        """Ask for a page of one item, past the cache; whatever is wrong with the answer is raised.

        Source: "Get all data collections (paginated)".
        """
        request = Request.get(self.session.base, "/data-collections", {"page": 1, "page_size": 1})
        await self.give(request, self.decoders.of(Page[msgspec.Raw]), bulk=False)

    def forget(self, path: str) -> None:
        """Drop what is kept of ``path``."""
        if self.cache is not None:
            wanted = (self._shared.space, path)
            self.cache.drop(lambda key: key[:2] == wanted)

    def _is_kept(self, decoder: BodyDecoder[Any], *, bulk: bool) -> bool:
        priority = self.options.priority
        return decoder.frozen and not (bulk if priority is None else priority == "bulk")

    async def _read(
        self,
        cache: Cache,
        path: str,
        decoder: BodyDecoder[T],
        params: Mapping[str, Param] | None,
        *,
        fresh: bool = False,
    ) -> Aged[T]:
        async def fetch(etag: str | None) -> Fetched[T]:
            request = Request.get(self.session.base, path, params)
            request.etag = etag
            call = Call(request, decoder, self.options, bulk=False)
            call.keeps_etag = True
            value = await self._flown(call, decoder)
            return Fetched(value, call.size, call.etag)

        key = (self._shared.space, path, tuple(params.items()) if params else (), decoder)
        read = cache.fill if fresh else cache.read
        return await read(key, fetch, self.session)

    async def _flown(self, call: Call[T], decoder: BodyDecoder[T]) -> T:
        if self._flights is None or call.bulk or not decoder.frozen:
            return await self.session.call(call)
        options, request = self.options, call.request
        return await self._flights.join((request.target, request.etag, decoder, options.timeout, options.retry), call)

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

        async def fetch(number: int, *, ahead: bool = False) -> Page[T]:
            return await self.give(request(number), decode, bulk=ahead)

        request(paging.page)  # a path or a parameter that cannot be sent is refused here, not at the first page
        same = _id_of(item_type) if isinstance(key, EllipsisType) else key
        return Paginator(Listing(path, fetch, self.tasks, paging.page, paging.max_pages, paging.prefetch, same))


def _id_of(item_type: type[T]) -> Key[T]:
    struct: Any = get_origin(item_type) or item_type
    fields = getattr(struct, "__struct_fields__", ()) if isinstance(struct, msgspec.StructMeta) else ()
    return attrgetter("id") if "id" in fields else None
