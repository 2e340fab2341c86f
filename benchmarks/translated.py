"""The same records for other libraries: this package's Structs, field by field, in the types of another one."""

from collections.abc import Callable, Mapping
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Generic, TypeAlias, TypeVar, Union, get_args, get_origin

import msgspec
import pydantic

__all__ = ["Field", "Make", "collected", "default_struct", "pydantic_model", "translated"]

Field: TypeAlias = tuple[str, Any, Any]
"""Name, type, and default or `msgspec.NODEFAULT`."""
Make: TypeAlias = Callable[[str, list[Field]], type]
"""Makes a type of records of its name and its fields."""


def translated(shape: Any, make: Make) -> Any:
    """Give the type that stands for ``shape`` among the records that ``make`` makes, with lists and dicts in it."""

    @cache
    def struct(found: type[msgspec.Struct], of: Any) -> type:
        fields = msgspec.structs.fields(found)
        return make(found.__name__, [(one.name, inner(one.type, of), one.default) for one in fields])

    def inner(found: Any, of: Any) -> Any:
        origin, parts = get_origin(found), get_args(found)
        if isinstance(found, TypeVar):
            return inner(of, None)
        if origin in (Union, UnionType):
            return reduce(or_, (inner(part, of) for part in parts))
        if origin is tuple:
            return list[inner(parts[0], of)]  # type: ignore[misc]  # made at run time
        if origin is Mapping or origin is not None and issubclass(origin, Mapping):
            return dict[str, Any]
        if origin is Annotated:
            return parts[0]
        if isinstance(origin, type) and issubclass(origin, Generic):  # type: ignore[arg-type]  # a special form
            return struct(origin, parts[0])
        return struct(found, None) if isinstance(found, type) and issubclass(found, msgspec.Struct) else found

    return inner(shape, None)


def default_struct(name: str, fields: list[Field]) -> type:
    """Give a Struct as anybody writes one: not frozen, seen by the garbage collector."""
    return msgspec.defstruct(name, [_field(one) for one in fields], kw_only=True)


def _field(one: Field) -> Any:
    name, kind, default = one
    return (name, kind) if default is msgspec.NODEFAULT else (name, kind, default)


def pydantic_model(base: type[pydantic.BaseModel] = pydantic.BaseModel) -> Make:
    """Give what makes pydantic models."""

    def make(name: str, fields: list[Field]) -> type:
        given = {field: (kind, ... if default is msgspec.NODEFAULT else default) for field, kind, default in fields}
        return pydantic.create_model(name, __base__=base, **given)  # type: ignore[call-overload, no-any-return]  # by name

    return make
