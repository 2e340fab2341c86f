"""The two general calls that every resource stands on: fetch one answer, paginate a listing."""

from collections.abc import Container, Hashable, Mapping
from types import EllipsisType
from typing import Any, TypeVar

from aegis_async._decode import Decoders
from aegis_async._pagination import Listing, Paginator, Place, Read, Told
from aegis_async._resources._paging import Paging
from aegis_async._resources._reading import Decode, Identified, Key, id_type_of, key_of, skimming, timing
from aegis_async._session import Options, Param, Request, Session
from aegis_async._tasks import TaskOwner
from aegis_async.models import Page

__all__ = ["Api"]

T = TypeVar("T")


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

    async def fetch_with(self, path: str, decode: Decode[T], params: Mapping[str, Param] | None = None) -> T:
        """Give one answer as ``decode`` makes it."""
        return await self.session.call(Request.get(self.session.base, path, params), decode, self.options)

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
        decode = self.decoders.of(Page[item_type])  # type: ignore[valid-type]  # a type held in a variable
        same = key_of(item_type) if isinstance(key, EllipsisType) else key
        paging.check_key(same)
        by_id = isinstance(key, EllipsisType) and paging.on_drift == "repair"
        ids = self._ids_of(item_type) if by_id else None

        def request(place: Place) -> Request:
            paged = {"page": place.number, "page_size": place.size, **filters}
            return Request.get(self.session.base, path, paged, organization_only=organization_only)

        async def fetch(place: Place, *, ahead: bool = False, told: Told | None = None) -> Page[T]:  # noqa: ARG001 - lanes are to come
            timed = decode if told is None else timing(decode, told)
            return await self.session.call(request(place), timed, self.options)

        async def skim(place: Place, known: Container[Hashable]) -> Read[T]:
            return await self.session.call(request(place), skimming(decode, ids, same, known), self.options)

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
        request(listing.first)  # a path or a parameter that cannot be sent is refused here, not at the first page
        return Paginator(listing)

    def _ids_of(self, item_type: type[T]) -> Decode[Page[Identified[Any]]] | None:
        id_type = id_type_of(item_type)
        if id_type is None:
            return None
        return self.decoders.of(Page[Identified[id_type]])  # type: ignore[valid-type]  # a type held in a variable
