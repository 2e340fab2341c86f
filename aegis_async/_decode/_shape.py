"""Which arrays of a type may be cut: those of Structs and of free-form objects, and within their elements again."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from functools import cached_property
from types import NoneType, UnionType
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar, Union, get_args

import msgspec

from aegis_async._decode._decoder import BodyDecoder, TypeForm, is_ours, origin_of

__all__ = ["Array", "Field", "Shapes", "root", "shapes", "with_arrays"]

T = TypeVar("T")

_UNIONS: Final = (Union, UnionType)
_FREE: Final = (Any, dict, dict[str, Any])
_LEAST: Final = 1 << 16  # bytes: a free-form object may hold millions of arrays that are not worth it


class Array:
    """One kind of array.

    Args:
        type_: Its type, as ``list[int]``.
        ours: Whether it is part of one of this package's models, which may come in an older revision.
        least: Bytes up to which it is not worth cutting.
    """

    def __init__(self, type_: TypeForm, *, ours: bool, least: int = 0) -> None:
        self.least: int = least
        self._type = type_
        self._ours = ours

    @cached_property
    def decode(self) -> BodyDecoder[Any]:
        """What decodes an array of some of its elements."""
        return BodyDecoder(self._type, ours=self._ours)

    @cached_property
    def keeps_text(self) -> bool:
        """Whether elements may hold on to the text that they were decoded from, as ``msgspec.Raw`` does."""
        return not is_ours(self._element)

    def made(self, elements: list[T]) -> Sequence[T]:
        """Give the array of these elements."""
        return elements if origin_of(self._type) is list else tuple(elements)

    @cached_property
    def inside(self) -> "Shapes | None":
        """The arrays within one element; None where there can be none."""
        return shapes(self._element, ours=self._ours)

    @property
    def _element(self) -> TypeForm:
        return next(iter(get_args(self._type)), Any)


class Field(NamedTuple):
    """Where an array stands in an object.

    Attributes:
        name: The attribute or key that holds it.
        step: The same as a step of an error's path.
        array: What it is.
    """

    name: str
    step: str
    array: Array


Shapes: TypeAlias = Callable[[bytes], Field | None]
"""Gives the array that stands under a name of the JSON, None where it is none or must not be cut."""


def shapes(type_: TypeForm, *, ours: bool) -> Shapes | None:
    """Give the arrays of an object of this type, None where there can be none."""
    kind = _only(type_)
    if isinstance(origin_of(kind), msgspec.StructMeta):
        found = _fields(kind, ours=ours)
        return found.get if found else None
    if kind in _FREE:
        array = Array(list[Any], ours=False, least=_LEAST)
        return lambda name: Field(name.decode(), "[...]", array)
    return None


def root(type_: TypeForm, *, ours: bool) -> Field | None:
    """Give the array that a body of this type is, None where it is none."""
    array = _array(type_, ours=ours)
    return None if array is None else Field("", "", array)


def with_arrays(value: Any, arrays: dict[str, object]) -> Any:
    """Give an object with these arrays in place of those that it has."""
    if isinstance(value, MutableMapping):
        value.update(arrays)
        return value
    return msgspec.structs.replace(value, **arrays)


def _fields(struct: TypeForm, *, ours: bool) -> Mapping[bytes, Field]:
    plain = origin_of(struct)
    # Code of its own must see the arrays in full, and what is written as an array has no names.
    if hasattr(plain, "__post_init__") or plain.__struct_config__.array_like:
        return {}
    arrays = ((field, _array(field.type, ours=ours)) for field in msgspec.structs.fields(struct))
    return {
        field.encode_name.encode(): Field(field.name, f".{field.encode_name}", array)
        for field, array in arrays
        if array is not None
    }


def _array(type_: TypeForm, *, ours: bool) -> Array | None:
    kind = _only(type_)
    origin, arguments = origin_of(kind), get_args(kind)
    cuttable = origin is list or kind is tuple or (origin is tuple and arguments[1:] == (...,))
    return Array(kind, ours=ours) if cuttable else None


def _only(type_: TypeForm) -> TypeForm:
    """Give a type without its None."""
    if origin_of(type_) not in _UNIONS:
        return type_
    members = [member for member in get_args(type_) if member is not NoneType]
    return members[0] if len(members) == 1 else type_
