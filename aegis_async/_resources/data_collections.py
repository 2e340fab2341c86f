"""The resource ``data_collections``.

Source: "Get data collections".
"""

from collections.abc import AsyncIterable, Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Literal

import msgspec

from aegis_async._arguments import choice, integer
from aegis_async._fanout import FanOut, Job
from aegis_async._pagination import Paginator
from aegis_async._resources._api import Api, Decode, Paging
from aegis_async._session import Param
from aegis_async.errors import DecodeError, InvalidArgumentError
from aegis_async.models import DataCollection, DataCollectionSummary

__all__ = ["CollectionBody", "DataCollections", "Decode", "get_bodies", "list_items", "summary_decoder"]

_PATH = "/data-collections"


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

    def get_many(
        self,
        ids: Iterable[int] | AsyncIterable[int],
        *,
        concurrency: int = 8,
        ordered: bool = False,
        on_error: Literal["raise", "skip"] = "raise",
        shared: bool | None = None,
    ) -> FanOut[DataCollection]:
        """Give many collections in full, several at once; nothing is sent before it is iterated.

        Args:
            ids: Read lazily, only as fast as results are taken.
            concurrency: Collections in flight at most.
            ordered: Whether to give them in the order of ``ids``; a slow one then holds up those behind it.
            on_error: ``"raise"`` ends with the first error, ``"skip"`` counts and logs it and goes on.
            shared: Sent as it is where not None.

        Raises:
            InvalidArgumentError: An argument is outside its bounds. A wrong id is that id's error.

        Source: "Get data collection by id".
        """
        params = _shared(shared)
        choice("on_error", on_error, ("raise", "skip"))

        async def fetch(id_: int) -> DataCollection:
            return await self._api.fetch(_path(id_), DataCollection, params)

        return FanOut(
            Job(
                _ids(ids),
                fetch,
                self._api.tasks,
                integer("concurrency", concurrency, minimum=1),
                ordered,
                on_error,
            )
        )


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
    through: Callable[[Callable[[], Awaitable[CollectionBody]]], Awaitable[CollectionBody]] | None = None,
) -> FanOut[CollectionBody]:
    """Give many collections with their bytes, for the export; what does not decode is a value with its error.

    Each is fetched ``through`` what the caller gives, who may wait, or try again.
    """
    api, params = collections._api, _shared(shared)  # noqa: SLF001 - the same module's

    async def fetch(id_: int) -> CollectionBody:
        async def once() -> CollectionBody:
            return await api.fetch_with(_path(id_), _keeping_body(id_, api.decoders.of(DataCollection)), params)

        return await (once() if through is None else through(once))

    limit = integer("concurrency", concurrency, minimum=1)
    return FanOut(Job(_ids(ids), fetch, api.tasks, limit, ordered=False, on_error="raise"))


def list_items(
    collections: DataCollections,
    key: Callable[[msgspec.Raw], Hashable],
    *,
    page_size: int,
    prefetch: int,
    shared: bool | None = None,
) -> Paginator[msgspec.Raw]:
    """Give the listing with the bytes of its items, for the export."""
    api, paging = collections._api, Paging(page_size=page_size, prefetch=prefetch)  # noqa: SLF001 - the same module's
    return api.paginate(_PATH, msgspec.Raw, paging, _shared(shared), key)


def summary_decoder(collections: DataCollections) -> Decode[DataCollectionSummary]:
    """Give what decodes the bytes of one listed item."""
    return collections._api.decoders.of(DataCollectionSummary)  # noqa: SLF001 - the same module's


def _keeping_body(id_: int, decode: Decode[DataCollection]) -> Decode[CollectionBody]:
    def keep(body: bytes | bytearray) -> CollectionBody:
        try:
            return CollectionBody(id_, bytes(body), decode(body), None)
        except DecodeError as error:
            if error.truncated:  # worth another attempt
                raise
            error.args = (f"{error} (GET {_path(id_)})",)
            return CollectionBody(id_, bytes(body), None, error)

    return keep


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
