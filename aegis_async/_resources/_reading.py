"""How a page's body is read: timed, or only as far as its ids."""

import time
from collections.abc import Callable, Container, Hashable
from operator import attrgetter
from typing import Any, Generic, TypeAlias, TypeVar, get_origin

import msgspec

from aegis_async._pagination import Read, Told
from aegis_async.errors import DecodeError
from aegis_async.models import Page

__all__ = ["Decode", "Identified", "Key", "id_type_of", "key_of", "skimming", "timing"]

T = TypeVar("T")
_IdT = TypeVar("_IdT")
Decode: TypeAlias = Callable[[bytes | bytearray], T]
Key: TypeAlias = Callable[[T], Hashable] | None


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


def timing(decode: Decode[T], told: Told, clock: Callable[[], float] = time.perf_counter) -> Decode[T]:
    """Give ``decode``, which tells for how many seconds it kept the loop."""

    def timed(body: bytes | bytearray) -> T:
        begun = clock()
        value = decode(body)
        told(clock() - begun)
        return value

    return timed


def skimming(
    decode: Decode[Page[T]], ids: Decode[Page[Identified[Any]]] | None, key: Key[T], known: Container[Hashable]
) -> Decode[Read[T]]:
    """Give a decoder that reads a page in full only if one of its ids is not ``known``."""

    def skim(body: bytes | bytearray) -> Read[T]:
        if ids is not None:
            try:
                page = ids(body)
            except DecodeError:
                pass  # not the documented shape, or broken: the full decoder knows better
            else:
                keys = [item.id for item in page.items]
                if all(one in known for one in keys):
                    return Read(page.meta, len(keys), keys, None)
        return Read.whole(decode(body), key)

    return skim


def _struct(item_type: type[T]) -> Any:
    return get_origin(item_type) or item_type
