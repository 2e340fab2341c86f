"""How JSON differs from a Struct: the fields that one has and the other has not, by path."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from msgspec import inspect

__all__ = ["differences"]


def differences(document: object, type_: type[Any]) -> list[str]:
    """Give a line for each place where ``document`` has a field that ``type_`` lacks, or lacks one that it has.

    Places in arrays are one place, as ``$.items[].id``; how often it was seen stands behind.
    """
    counts = Counter(_walk(document, inspect.type_info(type_), "$"))
    return [line if count == 1 else f"{line} ({count} times)" for line, count in counts.items()]


def _walk(node: object, info: inspect.Type, path: str) -> Iterator[str]:
    if isinstance(info, inspect.UnionType):
        for member in info.types:
            yield from _walk(node, member, path)
    elif isinstance(info, inspect.VarTupleType) and isinstance(node, list):
        for item in node:
            yield from _walk(item, info.item_type, f"{path}[]")
    elif isinstance(info, inspect.StructType) and isinstance(node, dict):
        yield from _fields(node, info, path)
    elif isinstance(info, inspect.StructType) and isinstance(node, str):
        yield f"flattened to a string: {path}"


def _fields(node: dict[str, object], info: inspect.StructType, path: str) -> Iterator[str]:
    known = {field.encode_name: field.type for field in info.fields}
    yield from (f"unknown field {path}.{name}" for name in node if name not in known)
    yield from (f"missing field {path}.{name}" for name in known if name not in node)
    for name, type_ in known.items():
        if name in node:
            yield from _walk(node[name], type_, f"{path}.{name}")
