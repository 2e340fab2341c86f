"""The resource ``data_collections``.

Source: "Get data collections".
"""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from aegis_async._arguments import choice, integer
from aegis_async._decode import PiecewiseDecoder, Splitter
from aegis_async._fanout import FanOut, FanOutStats, Job
from aegis_async._pagination import Paginator
from aegis_async._resources._api import Api, Paging
from aegis_async._resources._streams import CollectionStream
from aegis_async._session import Param
from aegis_async.errors import DecodeError, InvalidArgumentError
from aegis_async.models import DataCollection, DataCollectionSummary

__all__ = ["CollectionBody", "DataCollections", "get_bodies"]

_PATH = "/data-collections"
_MAX_SIZE = 2 << 30  # bytes


class DataCollections:
    """Data collections: list them as summaries, get them in full, one or many.

    Reached as ``client.data_collections``.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(
        self,
        *,
        page: int = 1,
        page_size: int = 100,
        shared: bool | None = None,
        max_pages: int | None = None,
        prefetch: int = 0,
    ) -> Paginator[DataCollectionSummary]:
        """Give every collection as a summary, page after page; nothing is sent before it is iterated.

        Args:
            page: The first page, from 1.
            page_size: Items on a page, 1 to 10000.
            shared: False for your own collections only, True for those shared with you only, None for all.
            max_pages: Pages to read at most.
            prefetch: Pages to keep in flight ahead of the consumer.

        Raises:
            InvalidArgumentError: An argument is outside its bounds.

        Source: "Get all data collections (paginated)".
        """
        paging = Paging(page, page_size, max_pages, prefetch)
        return self._api.paginate(_PATH, DataCollectionSummary, paging, _shared(shared))

    async def get(self, id: int, *, shared: bool | None = None) -> DataCollection:  # noqa: A002 - the field's name
        """Give one collection in full: its datasets, its runs and every evaluation.

        Args:
            id: The collection's id, from 1.
            shared: Sent as it is where not None.

        Raises:
            InvalidArgumentError: ``id`` is no id; nothing was sent.
            NotFoundError: There is no such collection, or the key may not know of it.

        Source: "Get data collection by id".
        """
        return await self._api.fetch(_path(id), DataCollection, _shared(shared))

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
            concurrency: Collections in flight at most.
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

        async def fetch(id_: int) -> DataCollection:
            return await self._api.fetch(_path(id_), DataCollection, params)

        if on_progress is not None and not callable(on_progress):
            raise InvalidArgumentError(f"on_progress must be callable or None, not {on_progress!r}")
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
        stream = CollectionStream(split, f"GET {path}")
        try:
            yield stream
        finally:
            await stream.aclose()


@dataclass(frozen=True, slots=True)
class CollectionBody:
    """One collection as it was sent, with what it decodes to.

    Attributes:
        id: The collection's id.
        body: The bytes of the answer.
        value: What they decode to, None where they do not.
        error: Why they do not decode.
    """

    id: int
    body: bytes
    value: DataCollection | None
    error: DecodeError | None


def get_bodies(
    collections: DataCollections,
    ids: Iterable[int] | AsyncIterable[int],
    *,
    concurrency: int = 8,
    shared: bool | None = None,
) -> FanOut[CollectionBody]:
    """Give many collections with their bytes, for the export; what does not decode is a value with its error."""
    api, params = collections._api, _shared(shared)  # noqa: SLF001 - the same module's

    async def fetch(id_: int) -> CollectionBody:
        return await api.fetch_with(_path(id_), _KeepingBody(id_, api.decoders.of(DataCollection)), params)

    limit = integer("concurrency", concurrency, minimum=1)
    return FanOut(Job(_ids(ids), fetch, api.tasks, limit, ordered=False, on_error="raise"))


class _KeepingBody:
    """Decodes a collection and keeps its bytes; what does not decode is a value too."""

    def __init__(self, id_: int, decode: PiecewiseDecoder[DataCollection]) -> None:
        self.cut_above: int = decode.cut_above
        self._id = id_
        self._decode = decode

    def __call__(self, body: bytes | bytearray) -> CollectionBody:
        try:
            return CollectionBody(self._id, bytes(body), self._decode(body), None)
        except DecodeError as error:
            return self._kept(body, error)

    async def in_pieces(self, body: bytes | bytearray) -> CollectionBody:
        try:
            return CollectionBody(self._id, bytes(body), await self._decode.in_pieces(body), None)
        except DecodeError as error:
            return self._kept(body, error)

    def _kept(self, body: bytes | bytearray, error: DecodeError) -> CollectionBody:
        if error.truncated:  # worth another attempt
            raise error
        error.args = (f"{error} (GET {_path(self._id)})",)
        return CollectionBody(self._id, bytes(body), None, error)


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
