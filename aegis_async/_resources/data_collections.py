"""The resource ``data_collections``.

Source: "Get data collections".
"""

import math
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Hashable, Iterable
from contextlib import asynccontextmanager
from typing import Literal

import msgspec

from aegis_async._arguments import choice, function, integer, seconds
from aegis_async._cache import Aged
from aegis_async._decode import Splitter
from aegis_async._fanout import FanOut, FanOutStats, Job
from aegis_async._pagination import Cursor, OnDrift, Paginator, Prefetch
from aegis_async._resources._api import Api
from aegis_async._resources._bodies import CollectionBody, KeepingBody
from aegis_async._resources._paging import PageSize, Paging
from aegis_async._resources._streams import BodyStream, CollectionStream, KeepingSplitter
from aegis_async._resources._watching import Watch, WatchCursor, Watched
from aegis_async._session import Param
from aegis_async.errors import AegisError, InvalidArgumentError, RequestError
from aegis_async.models import DataCollection, DataCollectionSummary

__all__ = [
    "BodyStream",
    "CollectionBody",
    "DataCollections",
    "get_bodies",
    "get_since",
    "is_too_large",
    "list_items",
    "stream_body",
    "summary_decoder",
]

_PATH = "/data-collections"
_MAX_SIZE = 2 << 30  # bytes


class DataCollections:
    """Data collections: list them as summaries, get them in full, one or many.

    Reached as ``client.data_collections``.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(  # noqa: PLR0913 - the arguments of a listing
        self,
        *,
        page: int = 1,
        page_size: PageSize = 100,
        shared: bool | None = None,
        max_pages: int | None = None,
        prefetch: Prefetch = 0,
        on_drift: OnDrift = "warn",
        cursor: Cursor | None = None,
    ) -> Paginator[DataCollectionSummary]:
        """Give every collection as a summary, page after page; nothing is sent before it is iterated.

        Args:
            page: The first page, from 1.
            page_size: Items on a page, 1 to 10000. ``"auto"`` begins with 25 and doubles while decoding a page keeps
                the event loop for a few milliseconds only.
            shared: False for your own collections only, True for those shared with you only, None for all.
            max_pages: Pages to read at most.
            prefetch: Pages to keep in flight ahead of the consumer. ``"auto"`` begins with one and goes up to 8
                while the consumer has to wait for them.
            on_drift: What to do when the listing moves while it is read, which page numbers show by totals that
                change and ids that repeat, and do not show when a deletion and an insertion hide each other.
                ``"warn"`` logs it once, ``"ignore"`` does not, ``"raise"`` is a ``PaginationError`` at the first
                sign. ``"repair"`` does not rely on signs: unless one page held everything it reads the ids again
                with large pages, until two sweeps in a row give the same ones, five times in all at most, and gives
                what it finds late at the end. ``Paginator.report`` says what came of it.
            cursor: The ``Paginator.cursor`` of an earlier iteration, to go on from there. Its page, its page size
                (with which ``"auto"`` begins) and its ``shared`` hold.

        Raises:
            InvalidArgumentError: An argument is outside its bounds.

        Source: "Get all data collections (paginated)".
        """
        paging = Paging(page, page_size, max_pages, prefetch, on_drift, cursor)
        return self._api.paginate(_PATH, DataCollectionSummary, paging, _shared(shared))

    async def get(
        self,
        id: int,  # noqa: A002 - the field's name
        *,
        shared: bool | None = None,
        fresh: bool = False,
    ) -> DataCollection:
        """Give one collection in full: its datasets, its runs and every evaluation.

        Args:
            id: The collection's id, from 1.
            shared: Sent as it is where not None.
            fresh: Whether to ask the service anew, whatever the client's cache holds and whoever is asking for the same
                already, and to keep the answer in the cache.

        Raises:
            InvalidArgumentError: ``id`` is no id; nothing was sent.
            NotFoundError: There is no such collection, or the key may not know of it.

        Source: "Get data collection by id".
        """
        if fresh:
            return (await self._api.fetch_aged(_path(id), DataCollection, _shared(shared), since=math.inf)).value
        return await self._api.fetch(_path(id), DataCollection, _shared(shared))

    async def get_with_age(
        self,
        id: int,  # noqa: A002 - the field's name
        *,
        shared: bool | None = None,
    ) -> Aged[DataCollection]:
        """Give one collection in full together with its age, so that old data can be shown as such.

        Args:
            id: The collection's id, from 1.
            shared: Sent as it is where not None.

        Raises:
            InvalidArgumentError: ``id`` is no id; nothing was sent.
            NotFoundError: There is no such collection, or the key may not know of it.

        Source: "Get data collection by id".
        """
        return await self._api.fetch_aged(_path(id), DataCollection, _shared(shared))

    def invalidate(self, id: int) -> None:  # noqa: A002 - the field's name
        """Drop what the client's cache holds of one collection, in every form; without a cache nothing happens.

        Answers to what was asked before are not kept when they come, nor given to who asks afterwards.

        Args:
            id: The collection's id, from 1.

        Raises:
            InvalidArgumentError: ``id`` is no id.
        """
        self._api.forget(_path(id))

    def watch(
        self, *, interval: float = 30.0, shared: bool | None = None, cursor: WatchCursor | None = None
    ) -> Watch[DataCollectionSummary]:
        """Give what changes in the listing, as ``async for change in client.data_collections.watch():``.

        At first every collection is ``Added``; then the listing is read again and again, and what differs is given:
        ``Added`` and ``Changed`` by the summaries' own bytes, ``Removed`` when a complete listing lacks it and its id
        answers 404. It goes on through outages, waits with the client's pauses, and never uses the cache.

        Args:
            interval: Seconds between two polls, a tenth more or less.
            shared: False for your own collections only, True for those shared with you only, None for all.
            cursor: From the ``cursor`` of an earlier watch, also of another process: only what changed since is given.

        Raises:
            InvalidArgumentError: An argument is outside its bounds.
            AuthenticationError: On iteration: the key was refused. Other errors than outages end it as well.

        Source: "Get all data collections (paginated)".
        """
        seconds("interval", interval, error=InvalidArgumentError)
        if cursor is not None and not isinstance(cursor, WatchCursor):
            raise InvalidArgumentError(f"cursor must be a WatchCursor, not {type(cursor).__name__}")
        watched = Watched(_PATH, DataCollectionSummary, _shared(shared))
        return Watch(self._api.without_cache(), watched, interval, cursor)

    def get_many(  # noqa: PLR0913 - the arguments of a fan-out
        self,
        ids: Iterable[int] | AsyncIterable[int],
        *,
        concurrency: int = 8,
        ordered: bool = False,
        on_error: Literal["raise", "skip"] = "raise",
        shared: bool | None = None,
        on_progress: Callable[[FanOutStats], object] | None = None,
    ) -> FanOut[DataCollection]:
        """Give many collections in full, several at once; nothing is sent before it is iterated.

        Args:
            ids: Read lazily, only as fast as results are taken. Equal ids that are in flight at once share one
                request, and each gives a result of its own.
            concurrency: Collections in flight at most; of the client's slots the bulk lane has three quarters.
            ordered: Whether to give them in the order of ``ids``; a slow one then holds up those behind it.
            on_error: ``"raise"`` ends with the first error, whose ``fan_out`` says how far it came; ``"skip"`` counts
                and logs it and goes on.
            shared: Sent as it is where not None.
            on_progress: Called in the event loop with the latest stats when a result has come; what it raises ends the
                fan-out.

        Raises:
            InvalidArgumentError: An argument is outside its bounds. A wrong id is that id's error.

        Source: "Get data collection by id".
        """
        params = _shared(shared)
        choice("on_error", on_error, ("raise", "skip"))

        def fetch(id_: int) -> Awaitable[DataCollection]:
            return self._api.fetch(_path(id_), DataCollection, params, bulk=True)

        function("on_progress", on_progress)
        limit = integer("concurrency", concurrency, minimum=1)
        return FanOut(Job(_ids(ids), fetch, self._api.tasks, limit, ordered, on_error, on_progress))

    @asynccontextmanager
    async def stream(
        self,
        id: int,  # noqa: A002 - the field's name
        *,
        shared: bool | None = None,
        max_size: int = _MAX_SIZE,
    ) -> AsyncIterator[CollectionStream]:
        """Give one very large collection run by run, as ``async with client.data_collections.stream(14) as stream:``.

        The body is read whole, so that one that breaks off is asked for again, and its own fields are first wherever
        they stand in it. Then runs are decoded about half a megabyte at a time: the most memory is the body and that.
        A collection that comes slowly may need ``client.with_options(timeout=…)``.

        Args:
            id: The collection's id, from 1.
            shared: Sent as it is where not None.
            max_size: Bytes of the body after decompression, instead of the client's ``max_body_size``; 2 GiB.

        Raises:
            InvalidArgumentError: An argument is outside its bounds; nothing was sent.
            NotFoundError: There is no such collection, or the key may not know of it.
            RequestError: The body is larger than ``max_size``.
            DecodeError: The body is no JSON, or its own fields are not what the service documents.

        Source: "Get data collection by id".
        """
        path, params = _path(id), _shared(shared)
        splitter = Splitter(self._api.decoders.of(DataCollection), "runs")
        limit = integer("max_size", max_size, minimum=1)
        split = await self._api.fetch_with(path, splitter, params, max_size=limit)
        stream = CollectionStream(split, self._api.placing(path))
        try:
            yield stream
        finally:
            await stream.aclose()


def get_bodies(  # noqa: PLR0913 - the arguments of a fan-out
    collections: DataCollections,
    ids: Iterable[int] | AsyncIterable[int],
    *,
    concurrency: int = 8,
    shared: bool | None = None,
    through: Callable[[Callable[[], Awaitable[CollectionBody]]], Awaitable[CollectionBody]] | None = None,
    max_size: int | None = None,
    most: Callable[[bytes], DataCollection | None] | None = None,
) -> FanOut[CollectionBody]:
    """Give many collections with their bytes, for the export; what does not decode is a value with its error.

    Each is fetched ``through`` what the caller gives, who may wait, or try again. A body of more than ``max_size``
    bytes (None: the client's ``max_body_size``) is an error that ``is_too_large`` knows, a case for ``stream_body``.
    A body of up to a megabyte is decoded by ``most``, and as always where that gives None.
    """
    api, params = collections._api, _shared(shared)  # noqa: SLF001 - the same module's

    async def fetch(id_: int) -> CollectionBody:
        async def once() -> CollectionBody:
            decode = KeepingBody(id_, api.placing(_path(id_)), api.decoders.of(DataCollection), most)
            return await api.fetch_with(_path(id_), decode, params, max_size=max_size)

        return await (once() if through is None else through(once))

    limit = integer("concurrency", concurrency, minimum=1)
    return FanOut(Job(_ids(ids), fetch, api.tasks, limit, ordered=False, on_error="raise"))


def is_too_large(error: AegisError | None) -> bool:
    """Tell whether an error says that the body is larger than it may be, and nothing else."""
    return type(error) is RequestError  # its subclasses are faults of the connection, and timeouts


@asynccontextmanager
async def stream_body(
    collections: DataCollections,
    id_: int,
    *,
    shared: bool | None = None,
    max_size: int = _MAX_SIZE,
) -> AsyncIterator[BodyStream]:
    """Give one very large collection with its bytes, for the export; what does not decode is there with its error.

    Raises:
        AegisError: As ``stream``, but for a body that is sound JSON and no collection.
    """
    api, path = collections._api, _path(id_)  # noqa: SLF001 - the same module's
    splitter = KeepingSplitter(Splitter(api.decoders.of(DataCollection), "runs"), id_, api.placing(path))
    stream = await api.fetch_with(path, splitter, _shared(shared), max_size=max_size)
    try:
        yield stream
    finally:
        await stream.aclose()


async def get_since(collections: DataCollections, id_: int, since: float) -> Aged[DataCollection]:
    """Give one collection as it was at that instant of the client's clock or later, for the dashboard."""
    return await collections._api.fetch_aged(_path(id_), DataCollection, since=since)  # noqa: SLF001 - the same module's


def list_items(
    collections: DataCollections,
    key: Callable[[msgspec.Raw], Hashable],
    *,
    page_size: int,
    prefetch: int,
    shared: bool | None = None,
) -> Paginator[msgspec.Raw]:
    """Give the listing with the bytes of its items, read until it is proven complete, for the export."""
    api = collections._api  # noqa: SLF001 - the same module's
    paging = Paging(page_size=page_size, prefetch=prefetch, on_drift="repair")
    return api.paginate(_PATH, msgspec.Raw, paging, _shared(shared), key)


def summary_decoder(collections: DataCollections) -> Callable[[bytes], DataCollectionSummary]:
    """Give what decodes the bytes of one listed item."""
    return collections._api.reader(DataCollectionSummary)  # noqa: SLF001 - the same module's


def _path(id_: int) -> str:
    return f"{_PATH}/{integer('id', id_, minimum=1)}"


def _shared(shared: bool | None) -> dict[str, Param]:  # noqa: FBT001 - the service's own parameter
    if shared is not None and not isinstance(shared, bool):
        raise InvalidArgumentError(f"shared must be True, False or None, not {shared!r}")
    return {} if shared is None else {"shared": shared}


def _ids(ids: Iterable[int] | AsyncIterable[int]) -> Iterable[int] | AsyncIterable[int]:
    if isinstance(ids, str | bytes) or not isinstance(ids, Iterable | AsyncIterable):
        raise InvalidArgumentError(f"ids must be an iterable of integers, not {type(ids).__name__}")
    return ids
