"""The two general calls that every resource stands on: fetch one answer, paginate a listing."""

import math
from collections.abc import Awaitable, Callable, Container, Hashable, Mapping
from types import EllipsisType
from typing import Any, Final, TypeVar

import msgspec

from aegis_async._cache import Aged, Cache, Fetched
from aegis_async._decode import Decode, Decoders, Lent, PiecewiseDecoder
from aegis_async._flight import Alike, Flights
from aegis_async._pagination import Listing, Paginator, Place, Read, Told
from aegis_async._resources._paging import Paging
from aegis_async._resources._reading import Identified, Key, Placing, Skimming, Timing, id_type_of, key_of
from aegis_async._session import Call, Options, Param, Request, Session
from aegis_async._tasks import TaskOwner
from aegis_async.errors import DecodeError
from aegis_async.models import Page

__all__ = ["Api", "Shared"]

T = TypeVar("T")

_FROM_CACHE: Final = ("ignore", "warn")  # a listing that must know of every drift reads what is there now


class Shared(msgspec.Struct, frozen=True):
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
        self.session: Session = session
        self.options: Options = options
        self.decoders: Decoders = shared.decoders
        self.cache: Cache | None = shared.cache
        self._shared = shared
        self._flights = shared.flights
        self._alike = Alike((options.timeout, options.retry))

    def with_options(self, options: Options) -> "Api":
        """Give a view on the same session with other options."""
        return Api(self.session, options, self._shared)

    def without_cache(self) -> "Api":
        """Give a view that neither reads nor fills the cache."""
        return Api(self.session, self.options, msgspec.structs.replace(self._shared, cache=None))

    def tasks(self) -> TaskOwner:
        """Give the owner of background tasks in the running loop."""
        return self.session.tasks()

    def fetch(
        self, path: str, type_: type[T], params: Mapping[str, Param] | None = None, *, bulk: bool = False
    ) -> Awaitable[T]:
        """Give one answer decoded into ``type_``; ``bulk`` names the lane that it takes by default."""
        decoder = self.decoders.of(type_)
        request = Request.get(self.session.base, path, params)
        if self.cache is not None and self._is_kept(decoder, bulk=bulk):
            return self._value(self.cache, request, decoder)
        return self.give(request, decoder, bulk=bulk)

    async def fetch_aged(
        self, path: str, type_: type[T], params: Mapping[str, Param] | None = None, *, since: float = -math.inf
    ) -> Aged[T]:
        """Give one answer with its age, asked for at the instant ``since`` or later; infinity means after this call."""
        decoder = self.decoders.of(type_)
        request = Request.get(self.session.base, path, params)
        if self.cache is not None and self._is_kept(decoder, bulk=False):
            return await self._read(self.cache, request, decoder, since)
        call = Call(request, decoder, self.options, bulk=False)
        flown = self._flown(call, decoder) if since == -math.inf else self.session.call(call)
        return Aged(await flown, 0.0, stale=False)

    async def fetch_with(
        self, path: str, decode: Decode[T], params: Mapping[str, Param] | None = None, *, max_size: int | None = None
    ) -> T:
        """Give one answer as ``decode`` makes it, in the bulk lane; ``max_size`` goes before the client's own limit."""
        request = Request.get(self.session.base, path, params, max_size=max_size)
        return await self.session.call(Call(request, decode, self.options, bulk=True))

    def reader(self, type_: type[T]) -> Callable[[bytes], T]:
        """Give what decodes a part of an answer that was given as it is; its errors have the key masked."""
        decode, mask = self.decoders.of(type_), self.session.mask

        def read(part: bytes) -> T:
            try:
                return decode(part)
            except DecodeError as error:
                mask(error)
                raise

        return read

    def placing(self, path: str) -> Placing:
        """Give what adds the request to the error of a body that is decoded afterwards, and masks the key in it."""

        def place(error: DecodeError) -> None:
            error.args = (f"{error} (GET {path})",)
            self.session.mask(error)

        return place

    def give(self, request: Request, decoder: PiecewiseDecoder[T], *, bulk: bool) -> Awaitable[T]:
        """Give one answer of the service, shared with whoever asks for the same in the interactive lane."""
        return self._flown(Call(request, decoder, self.options, bulk=bulk), decoder)

    async def ping(self) -> None:
        """Ask for a page of one item, past the cache; whatever is wrong with the answer is raised.

        Source: "Get all data collections (paginated)".
        """
        request = Request.get(self.session.base, "/data-collections", {"page": 1, "page_size": 1})
        await self.give(request, self.decoders.of(Page[msgspec.Raw]), bulk=False)

    def forget(self, path: str) -> None:
        """Drop what is kept of ``path``."""
        if self.cache is not None:
            space = self._shared.space
            self.cache.drop(lambda key: key[0] == space and key[1].partition("?")[0] == path)

    def _is_kept(self, decoder: PiecewiseDecoder[Any], *, bulk: bool) -> bool:
        priority = self.options.priority
        return decoder.frozen and not (bulk if priority is None else priority == "bulk")

    async def _read(
        self, cache: Cache, request: Request, decoder: PiecewiseDecoder[T], since: float = -math.inf
    ) -> Aged[T]:
        self.session.enter_loop()  # a closed client gives nothing, not even what is kept

        async def fetch(etag: str | None, together: Hashable, *, outlives: bool = False) -> Fetched[T]:
            options = msgspec.structs.replace(self.options, deadline=None) if outlives else self.options
            call = Call(msgspec.structs.replace(request, etag=etag), decoder, options, bulk=False)
            call.keeps_etag = True
            value = await self._flown(call, decoder, together)
            return Fetched(value, call.size, call.etag)

        return await cache.read((self._shared.space, request.target, decoder.type), fetch, self.session, since)

    async def _value(self, cache: Cache, request: Request, decoder: PiecewiseDecoder[T]) -> T:
        return (await self._read(cache, request, decoder)).value

    def _flown(self, call: Call[T], decoder: PiecewiseDecoder[T], together: Hashable = None) -> Awaitable[T]:
        if self._flights is None or call.bulk or not decoder.frozen:
            return self.session.call(call)
        request = call.request
        return self._flights.join((request.target, request.etag, decoder, self._alike, together), call)

    def paginate(
        self,
        path: str,
        item_type: type[T],
        paging: Paging,
        params: Mapping[str, Param] | None = None,
        key: Key[T] | EllipsisType = ...,
    ) -> Paginator[T]:
        """Give the listing at ``path``, checked before anything is sent."""
        filters = paging.filters(params)
        organization_only = filters.get("shared") is True
        kept = paging.on_drift in _FROM_CACHE
        decode = self.decoders.of(Page[item_type])  # type: ignore[valid-type]  # a type held in a variable
        same = key_of(item_type) if isinstance(key, EllipsisType) else key
        paging.check_key(same)
        by_id = isinstance(key, EllipsisType) and paging.on_drift == "repair"
        ids = self._ids_of(item_type) if by_id else None

        # What can be wrong with a path or a parameter is refused here, and looked for once, not with each page.
        query = Request.get(self.session.base, path, filters).target.removeprefix(path).replace("?", "&", 1)

        def request(place: Place) -> Request:
            target = f"{path}?page={place.number}&page_size={place.size}{query}"
            return Request(self.session.base, target, organization_only)

        async def fetch(place: Place, *, ahead: bool = False, told: Told | None = None) -> Page[T]:
            if told is not None:
                return await self.session.call(Call(request(place), Timing(decode, told), self.options, bulk=ahead))
            if self.cache is not None and kept and self._is_kept(decode, bulk=ahead):
                return await self._value(self.cache, request(place), decode)
            return await self.give(request(place), decode, bulk=ahead)

        async def skim(place: Place, known: Container[Hashable]) -> Read[T]:
            decode_new = Skimming(decode, ids, same, known)
            return await self.session.call(Call(request(place), decode_new, self.options, bulk=True))

        listing = Listing(
            path,
            fetch,
            skim,
            self.tasks,
            same,
            start=paging.start(filters),
            grows=paging.page_size == "auto",
            max_pages=paging.max_pages,
            prefetch=paging.prefetch,
            on_drift=paging.on_drift,
        )
        return Paginator(listing)

    def _ids_of(self, item_type: type[T]) -> Decode[Page[Identified[Any]]] | None:
        id_type = id_type_of(item_type)
        if id_type is None:
            return None
        return Lent(self.decoders.of(Page[Identified[id_type]]))  # type: ignore[valid-type]  # a type held in a variable
