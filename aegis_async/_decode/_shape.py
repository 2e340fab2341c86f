"""Which arrays of a type may be cut: those of this package's own models, at any depth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

import msgspec

from aegis_async import models
from aegis_async._decode._decoder import BodyDecoder

__all__ = ["Shape", "shapes"]


@dataclass(frozen=True, slots=True)
class Shape:
    """One field that holds an array.

    Attributes:
        field: Its name.
        decode: Decodes an array of some of its elements.
        inside: The arrays within one element, by their names in the JSON.
    """

    field: str
    decode: BodyDecoder[tuple[Any, ...]]
    inside: Mapping[bytes, "Shape"]


def shapes(type_: Any) -> Mapping[bytes, Shape]:
    """Give the arrays of a type, by their names in the JSON; none of a type that is not ours."""
    struct = get_origin(type_) or type_
    if getattr(struct, "__module__", None) != models.__name__ or not isinstance(struct, msgspec.StructMeta):
        return {}
    arrays = (field for field in msgspec.structs.fields(type_) if get_origin(field.type) is tuple)
    return {
        field.encode_name.encode(): Shape(field.name, BodyDecoder(field.type), shapes(get_args(field.type)[0]))
        for field in arrays
    }
