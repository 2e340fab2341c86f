"""What a type keeps as ``msgspec.Raw``, put back byte for byte into an object that was read for its sense."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import msgspec
from msgspec import inspect

__all__ = ["holds_raws", "with_raws"]

Text: TypeAlias = msgspec.Raw | bytes | bytearray

_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_elements: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode


def holds_raws(info: inspect.Type) -> bool:
    """Whether a type keeps anything as it is, at any depth."""
    seen: list[inspect.Type] = []
    waiting = [info]
    while waiting:
        part = waiting.pop()
        if isinstance(part, inspect.RawType):
            return True
        if not any(part is each for each in seen):  # a type may stand within itself
            seen.append(part)
            waiting += _parts(part)
    return False


def with_raws(node: object, text: Text, info: inspect.Type) -> object:
    """Give ``node``, which was read from ``text``, with what its type keeps as it is."""
    known = _PUT.get(type(info))
    if known is None or not isinstance(node, known[0]):
        return node
    return known[1](node, text, info)


def _parts(info: inspect.Type) -> list[inspect.Type]:
    match info:
        case inspect.StructType():
            return [field.type for field in info.fields]
        case inspect.UnionType():
            return list(info.types)
        case inspect.ListType() | inspect.VarTupleType():
            return [info.item_type]
        case inspect.DictType():
            return [info.value_type]
        case _:
            return []


def _raw(_: object, text: Text, _info: object) -> object:
    return text


def _struct(node: dict[str, object], text: Text, info: inspect.StructType) -> object:
    texts, names = _fields(text), [(field.encode_name, field.type) for field in info.fields]
    return node | {name: with_raws(node[name], texts[name], type_) for name, type_ in names if name in node}


def _array(node: list[object], text: Text, info: inspect.ListType) -> object:
    return [with_raws(each, part, info.item_type) for each, part in zip(node, _elements(text), strict=True)]


def _dict(node: dict[str, object], text: Text, info: inspect.DictType) -> object:
    texts = _fields(text)
    return {name: with_raws(each, texts[name], info.value_type) for name, each in node.items()}


def _union(node: object, text: Text, info: inspect.UnionType) -> object:
    members = [member for member in info.types if not isinstance(member, inspect.NoneType)]
    return with_raws(node, text, members[0]) if len(members) == 1 else node


_PUT: Final[Mapping[type, tuple[type, Callable[..., object]]]] = {
    inspect.RawType: (object, _raw),
    inspect.StructType: (dict, _struct),
    inspect.ListType: (list, _array),
    inspect.VarTupleType: (list, _array),
    inspect.DictType: (dict, _dict),
    inspect.UnionType: (object, _union),
}
"""What the JSON must be for each kind of type, and what then puts it in."""
