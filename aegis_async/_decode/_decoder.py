"""The fast path: the documented shape straight into Structs; what fails there gets one more chance.

The second path (`_revisions`) runs only for this package's own models, and only when the JSON is sound and
the shape is not the documented one.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast, get_args, get_origin

import msgspec

from aegis_async import models
from aegis_async._decode import _complaints, _revisions
from aegis_async._decode._checks import CHECKS
from aegis_async._decode._skip import BROKEN
from aegis_async.errors import InvalidArgumentError

__all__ = ["BodyDecoder", "TypeForm", "is_ours", "origin_of"]

TypeForm: TypeAlias = Any
"""Whatever msgspec takes for a type: a class, a union, a generic with its arguments. Python has no name for it yet."""

T = TypeVar("T")

_IMMUTABLE: Final = (bytes, str, int, float, bool, msgspec.Raw)


class BodyDecoder(Generic[T]):
    """Decodes bodies into one type.

    Args:
        type_: A type that msgspec decodes JSON into; ``bytes`` gives the body as it is.
        ours: Whether it is one of this package's models, or part of one; None finds out.

    Raises:
        InvalidArgumentError: msgspec cannot decode into ``type_``.
    """

    __slots__ = ("_check", "_fast", "_ours", "_revised", "frozen", "type")

    def __init__(self, type_: type[T], *, ours: bool | None = None) -> None:
        self.type: TypeForm = type_
        """What it decodes into."""
        self._ours = is_ours(type_) if ours is None else ours
        self._fast = _fast_path(type_)
        self._revised: _revisions.Revised | None = None
        self._check = CHECKS.get(type_) if self._ours else None
        self.frozen: bool = _is_frozen(type_)
        """Whether several callers may hold one value: it is of a frozen Struct, or else immutable."""

    def __call__(self, body: bytes | bytearray) -> T:
        """Decode one body.

        Raises:
            DecodeError: It is no JSON, breaks off, or is not of the documented or an older shape.
        """
        try:
            value = self._fast(body)
            if self._check is not None:
                self._check(value)
        except BROKEN as error:
            fault: Exception = error
        else:
            return value
        try:
            return self._second_chance(body, fault)
        finally:
            del fault  # it holds this frame, and that the body: a cycle

    def as_documented(self, body: bytes | bytearray | memoryview) -> T | None:
        """Decode one body where it is sound and of the documented shape, and give None for any other."""
        with suppress(*BROKEN):
            value = self._fast(body)
            if self._check is not None:
                self._check(value)
            return value
        return None

    def _second_chance(self, body: bytes | bytearray, fault: Exception) -> T:
        if isinstance(fault, msgspec.ValidationError) and self._ours:
            if self._revised is None:
                self._revised = _revisions.Revised(self.type)
            try:
                value = cast("T", self._revised(body))
                if self._check is not None:
                    self._check(value)
            except _revisions.Unchanged:
                pass
            except BROKEN as error:
                fault = error
            else:
                return value
        try:
            raise _complaints.decode_error(fault, body)
        finally:
            del fault  # as above


def _fast_path(type_: type[T]) -> Callable[[bytes | bytearray | memoryview], T]:
    if type_ is bytes:
        return cast("Callable[[bytes | bytearray | memoryview], T]", bytes)
    try:
        return msgspec.json.Decoder(type_).decode
    except TypeError as error:
        complaint = str(error)
    raise InvalidArgumentError(f"type cannot be decoded from JSON: {complaint}")


def origin_of(type_: Any) -> TypeForm:
    """Give what a generic is made of, as ``list`` of ``list[int]``; any other type as it is."""
    return get_origin(type_) or type_


def is_ours(type_: TypeForm) -> bool:
    """Whether a type is one of this package's models, or made of one."""
    return any(getattr(part, "__module__", None) == models.__name__ for part in (type_, *get_args(type_)))


def _is_frozen(type_: TypeForm) -> bool:
    struct = origin_of(type_)
    if isinstance(struct, msgspec.StructMeta):
        return struct.__struct_config__.frozen and all(map(_is_frozen, get_args(type_)))
    return type_ in _IMMUTABLE
