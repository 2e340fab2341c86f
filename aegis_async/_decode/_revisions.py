"""The second path: older and flattened shapes of the service, turned into today's.

The body is read as plain objects with every written float kept as text, so that nothing is rounded before its
field is known; then each node is brought to the shape that its type expects, and msgspec converts the whole
as strictly as on the fast path.

Source: the notes beside the service's page ("Older revisions", "A sister endpoint flattens", "Numbers").
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import inspect

from aegis_async import models
from aegis_async._decode._raws import holds_raws, with_raws

__all__ = ["Revised", "Unchanged"]

_EXACT: Final = 2**53  # from here on an integer written as a float may not be the one that was meant
_OFFSET: Final = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$", re.IGNORECASE)

# What an older revision lacks.
_ABSENT: Final[Mapping[type, tuple[str, ...]]] = {
    models.DataCollectionSummary: ("author_email",),
    models.DataCollection: ("author_email",),
    models.DatasetSummary: ("author_email", "created_at", "updated_at"),
    models.Dataset: ("author_email",),
    models.RunSummary: ("author_email",),
    models.Run: ("author_email",),
}
_RUN_IDS: Final = {"run_type": "run_type_id", "run_source": "run_source_id"}
# The ids that stand where today's revision has objects.
_ID_INSTEAD: Final[Mapping[type, Mapping[str, str]]] = {models.RunSummary: _RUN_IDS, models.Run: _RUN_IDS}


def _lookup(*, id: object = None, name: object = None) -> dict[str, object]:  # noqa: A002 - the field's name
    return {"id": id, "name": name, "label": None, "description": None}


# What a plain string means where today's revision has an object.
_FLATTENED: Final[Mapping[type, Callable[[str], dict[str, object]]]] = {
    models.User: lambda email: {"id": None, "email": email},
    models.RunType: lambda name: _lookup(name=name),
    models.RunSource: lambda name: _lookup(name=name),
}


class Unchanged(Exception):  # noqa: N818 - a signal inside this package, not an error of it
    """The second path cannot help; what the fast path said stands."""


class _Number(str):
    """A float as it was written, until its field is known."""

    __slots__ = ()


class Revised:
    """Reads the older shapes of one type."""

    def __init__(self, type_: object) -> None:
        self._type = type_
        self._info = inspect.type_info(type_)
        self._read = msgspec.json.Decoder(float_hook=_Number)
        self._holds_raws = holds_raws(self._info)

    def __call__(self, body: bytes | bytearray) -> object:
        """Decode a body whose shape the fast path refused.

        Raises:
            Unchanged: A number is out of range, which the fast path describes better.
            msgspec.ValidationError: The shape is none that is known.
        """
        node = self._read.decode(body)
        if self._holds_raws:
            node = with_raws(node, body, self._info)
        return msgspec.convert(_upgraded(node, self._info), self._type)


def _upgraded(node: object, info: inspect.Type) -> object:
    upgrade = _UPGRADES.get(type(info), _thawed)
    return upgrade(node, info)


def _struct(node: object, info: inspect.StructType) -> object:
    if isinstance(node, str) and not isinstance(node, _Number) and info.cls in _FLATTENED:
        return _FLATTENED[info.cls](node)
    if not isinstance(node, dict):
        return _thawed(node, info)
    known = dict.fromkeys(_ABSENT.get(info.cls, ())) | node
    for field, id_field in _ID_INSTEAD.get(info.cls, {}).items():
        if field not in known and id_field in known:
            known[field] = _lookup(id=known[id_field])
    return known | {
        f.encode_name: _upgraded(known[f.encode_name], f.type) for f in info.fields if f.encode_name in known
    }


def _union(node: object, info: inspect.UnionType) -> object:
    if node is None:
        return None
    return _upgraded(node, next(member for member in info.types if not isinstance(member, inspect.NoneType)))


def _array(node: object, info: inspect.VarTupleType) -> object:
    return [_upgraded(item, info.item_type) for item in node] if isinstance(node, list) else _thawed(node, info)


def _integer(node: object, info: inspect.Type) -> object:
    value = _thawed(node, info)
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    return value


def _decimal(node: object, _info: inspect.Type) -> object:
    return str(node) if isinstance(node, _Number) else node


def _timestamp(node: object, info: inspect.Type) -> object:
    if isinstance(node, str) and not isinstance(node, _Number):
        return node if _OFFSET.search(node) else f"{node}Z"
    return _thawed(node, info)


def _thawed(node: object, info: inspect.Type) -> object:
    if isinstance(node, _Number):
        value = float(node)
        if math.isinf(value):
            raise Unchanged
        return value
    if isinstance(node, dict):
        return {key: _thawed(value, info) for key, value in node.items()}
    if isinstance(node, list):
        return [_thawed(value, info) for value in node]
    return node


_UPGRADES: Final[Mapping[type, Callable[[object, Any], object]]] = {
    inspect.StructType: _struct,
    inspect.UnionType: _union,
    inspect.VarTupleType: _array,
    inspect.IntType: _integer,
    inspect.DecimalType: _decimal,
    inspect.DateTimeType: _timestamp,
}
