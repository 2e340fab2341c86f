"""Spark's filters to conditions on the id of a collection; those on anything else stay with Spark."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pyspark.sql.datasource import (
    EqualNullSafe,
    EqualTo,
    Filter,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    LessThan,
    LessThanOrEqual,
    Not,
)

from aegis_async._spark._selection import Condition, Operator

__all__ = ["condition"]

_COMPARISONS: Final[Mapping[type, Operator]] = {
    LessThan: "<",
    LessThanOrEqual: "<=",
    GreaterThan: ">",
    GreaterThanOrEqual: ">=",
}


def condition(table: str, given: Filter) -> Condition | None:
    """Give what a filter asks of the id of a collection; None where it asks something else."""
    if isinstance(given, Not):
        inner = condition(table, given.child)
        return Condition("not in", inner.value) if inner is not None and inner.operator == "in" else None
    read = _READ.get(type(given))
    return read(given) if read is not None and given.attribute in _columns(table) else None


def _columns(table: str) -> tuple[tuple[str, ...], ...]:
    # In every other table `id` is that of a record.
    return (("collection_id",), ("id",)) if table == "collections" else (("collection_id",),)


def _equal(given: EqualTo | EqualNullSafe) -> Condition | None:
    return Condition("in", frozenset({given.value})) if _is_id(given.value) else None


def _in(given: In) -> Condition | None:
    return Condition("in", frozenset(given.value)) if all(map(_is_id, given.value)) else None


def _compared(given: LessThan | LessThanOrEqual | GreaterThan | GreaterThanOrEqual) -> Condition | None:
    return Condition(_COMPARISONS[type(given)], given.value) if _is_id(given.value) else None


def _is_id(value: object) -> bool:
    # A null in a list makes SQL's answer neither true nor false, which is Spark's to judge.
    return isinstance(value, int) and not isinstance(value, bool)


_READ: Final[Mapping[type, Callable[[Any], Condition | None]]] = {
    EqualTo: _equal,
    EqualNullSafe: _equal,
    In: _in,
    **dict.fromkeys(_COMPARISONS, _compared),
}
