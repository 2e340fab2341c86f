"""The same records for other libraries: this package's Structs, field by field, in the types of another one."""

from collections.abc import Callable, Mapping
from functools import cache, reduce
from operator import or_
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Final, TypeAlias, TypeVar, Union, get_args, get_origin

import msgspec

__all__ = ["Field", "Make", "default_struct", "translated"]

Field: TypeAlias = tuple[str, Any, Any]
"""Name, type, and default or `msgspec.NODEFAULT`."""
Make: TypeAlias = Callable[[str, list[Field]], type]
"""Makes a type of records of its name and its fields."""


_SHAPES: Final[Mapping[Any, Callable[[list[Any]], Any]]] = MappingProxyType(
    {
        Annotated: lambda parts: parts[0],
        Mapping: lambda _parts: dict[str, Any],
        tuple: lambda parts: list[parts[0]],  # type: ignore[valid-type]  # made at run time
        Union: lambda parts: reduce(or_, parts),
        UnionType: lambda parts: reduce(or_, parts),
    }
)
"""What stands for a type with parts, by what it is made with."""


def translated(shape: Any, make: Make) -> Any:
    """Give the type that stands for ``shape`` among the records that ``make`` makes, with lists and dicts in it."""

    @cache
    def struct(found: type[msgspec.Struct], of: Any) -> type:
        fields = msgspec.structs.fields(found)
        return make(found.__name__, [(one.name, inner(one.type, of), one.default) for one in fields])

    def inner(found: Any, of: Any) -> Any:
        if isinstance(found, TypeVar):
            return inner(of, None)
        origin, parts = get_origin(found), get_args(found)
        if origin is None:
            return struct(found, None) if isinstance(found, type) and issubclass(found, msgspec.Struct) else found
        if origin in _SHAPES:
            return _SHAPES[origin]([inner(part, of) for part in parts])
        return struct(origin, parts[0])

    return inner(shape, None)


def default_struct(name: str, fields: list[Field]) -> type:
    """Give a Struct as anybody writes one: not frozen, seen by the garbage collector."""
    return msgspec.defstruct(name, [_field(one) for one in fields], kw_only=True)


def _field(one: Field) -> Any:
    name, kind, default = one
    return (name, kind) if default is msgspec.NODEFAULT else (name, kind, default)
