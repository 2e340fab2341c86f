"""How a page's body is read: timed, or only as far as its ids."""

import time
from collections.abc import Callable, Container, Hashable
from contextlib import suppress
from operator import attrgetter
from typing import Any, Generic, TypeAlias, TypeVar, get_origin

import msgspec

from aegis_async._decode import Decode
from aegis_async._pagination import Read, Told
from aegis_async.errors import DecodeError
from aegis_async.models import Page

__all__ = ["Identified", "Key", "Placing", "Skimming", "Timing", "id_type_of", "key_of"]

T = TypeVar("T")
_IdT = TypeVar("_IdT")
Key: TypeAlias = Callable[[T], Hashable] | None
Placing: TypeAlias = Callable[[DecodeError], None]
"""Adds to an error what it is about."""


class Identified(msgspec.Struct, Generic[_IdT], frozen=True):
    """An item of which only the id is wanted.

    Attributes:
        id: The item's id.
    """

    id: _IdT


def key_of(item_type: type[T]) -> Key[T]:
    """Give what makes two items the same: the ``id`` of a Struct that has one, else nothing."""
    struct = _struct(item_type)
    return attrgetter("id") if isinstance(struct, msgspec.StructMeta) and "id" in struct.__struct_fields__ else None


def id_type_of(item_type: type[T]) -> Any:
    """Give the type of the items' ids, or None where they cannot be read without the rest of an item."""
    if key_of(item_type) is None or _struct(item_type).__struct_config__.array_like:
        return None
    struct: Any = item_type
    field = next(field for field in msgspec.structs.fields(struct) if field.name == "id")
    return field.type if field.encode_name == "id" else None


class Timing(Generic[T]):
    """Decodes, and tells for how many seconds.

    Args:
        decode: Does the work.
        told: Hears of it.
        clock: Seconds of this thread's own work, so that a busy machine does not count.
    """

    def __init__(self, decode: Decode[T], told: Told, clock: Callable[[], float] = time.thread_time) -> None:
        self.cut_above = decode.cut_above
        self._decode = decode
        self._told = told
        self._clock = clock

    def __call__(self, body: bytes | bytearray) -> T:
        begun = self._clock()
        value = self._decode(body)
        self._told(self._clock() - begun)
        return value

    async def in_pieces(self, body: bytes | bytearray) -> T:
        """Decode in pieces; the time of all of them is told, since a page that needs them is large enough."""
        begun = self._clock()
        value = await self._decode.in_pieces(body)
        self._told(self._clock() - begun)
        return value


class Skimming(Generic[T]):
    """Reads a page in full only if one of its ids is not known.

    Args:
        decode: Reads it in full.
        ids: Reads its ids alone; None where they cannot be read without the rest.
        key: What makes two items the same.
        known: Ids that were seen before.
    """

    def __init__(
        self,
        decode: Decode[Page[T]],
        ids: Decode[Page[Identified[Any]]] | None,
        key: Key[T],
        known: Container[Hashable],
    ) -> None:
        self.cut_above = decode.cut_above
        self._decode = decode
        self._ids = ids
        self._key = key
        self._known = known

    def __call__(self, body: bytes | bytearray) -> Read[T]:
        if self._ids is not None:
            with suppress(DecodeError):  # not the documented shape, or broken: the full decoder knows better
                read = self._skimmed(self._ids(body))
                if read is not None:
                    return read
        return Read.whole(self._decode(body), self._key)

    async def in_pieces(self, body: bytes | bytearray) -> Read[T]:
        """Do the same in pieces between which others run."""
        if self._ids is not None:
            with suppress(DecodeError):
                read = self._skimmed(await self._ids.in_pieces(body))
                if read is not None:
                    return read
        return Read.whole(await self._decode.in_pieces(body), self._key)

    def _skimmed(self, page: Page[Identified[Any]]) -> Read[T] | None:
        keys = [item.id for item in page.items]
        return Read(page.meta, len(keys), keys, None) if all(one in self._known for one in keys) else None


def _struct(item_type: type[T]) -> Any:
    return get_origin(item_type) or item_type
