"""Conditions on the id of a collection, as plain values: which ids meet them, and which they name."""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

__all__ = ["Condition", "Operator", "chosen", "named"]

Operator: TypeAlias = Literal["in", "not in", "<", "<=", ">", ">="]

_MEETS: Final[Mapping[Operator, Callable[[int, Any], bool]]] = {
    "in": lambda id_, ids: id_ in ids,
    "not in": lambda id_, ids: id_ not in ids,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Condition(NamedTuple):
    """What must hold of an id.

    Attributes:
        operator: The comparison.
        value: What the id is compared with: a set of ids for ``"in"`` and ``"not in"``, else one.
    """

    operator: Operator
    value: Any


def chosen(ids: Iterable[int], conditions: Sequence[Condition]) -> list[int]:
    """Give the ids that meet all conditions, ascending."""
    return sorted(id_ for id_ in ids if all(_MEETS[name](id_, value) for name, value in conditions))


def named(conditions: Sequence[Condition]) -> set[int] | None:
    """Give the ids that alone can meet the conditions, None where these set no end to them."""
    given: list[frozenset[int]] = [value for name, value in conditions if name == "in"]
    return {id_ for id_ in frozenset.intersection(*given) if id_ >= 1} if given else None
