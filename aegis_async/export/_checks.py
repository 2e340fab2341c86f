"""What can be wrong with the rows of one chunk."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any, Final

import pyarrow as pa

from aegis_async.export._schema import TABLES

__all__ = ["rows_at_fault"]

_NAMED: Final = 3  # of many alike, so that one fault does not fill the screen


def rows_at_fault(tables: Mapping[str, pa.Table], ids: AbstractSet[int], first: str) -> Iterator[str]:
    """Yield what is wrong with the tables of one format.

    Args:
        tables: The tables that have rows.
        ids: The collections that they should be of.
        first: The table that has a row for each collection.
    """
    there = set(tables[first]["collection_id"].to_pylist()) if first in tables else set[int]()
    if there != ids:
        yield f"{first} has not the rows of these collections: {_some(there ^ ids)}"
    for name, table in tables.items():
        strangers = set(table["collection_id"].unique().to_pylist()) - ids
        if strangers:
            yield f"{name} has rows of collections that its commit does not name: {_some(strangers)}"
    for one in TABLES:
        if one.name in tables:
            yield from _twice(one.name, tables[one.name].select(one.key))
    yield from _without_run(tables)


def _twice(name: str, keys: pa.Table) -> Iterator[str]:
    columns = keys.column_names
    counts = keys.group_by(columns).aggregate([([], "count_all")])
    more = [tuple(row[column] for column in columns) for row in counts.to_pylist() if row["count_all"] > 1]
    if more:
        yield f"{name} has a key twice: {_some(set(more))}"


def _without_run(tables: Mapping[str, pa.Table]) -> Iterator[str]:
    if "evaluations" not in tables:
        return
    wanted = (
        tables["evaluations"].select(["collection_id", "run_id"]).group_by(["collection_id", "run_id"]).aggregate([])
    )
    runs = tables["runs"].select(["collection_id", "id"]) if "runs" in tables else None
    pairs = {(row["collection_id"], row["run_id"]) for row in wanted.to_pylist()}
    known = set(zip(*(runs[name].to_pylist() for name in runs.column_names), strict=True)) if runs else set()
    if pairs - known:
        yield f"evaluations have no run: {_some(pairs - known)}"


def _some(values: AbstractSet[Any]) -> str:
    listed = ", ".join(map(str, islice(sorted(values), _NAMED)))
    return listed if len(values) <= _NAMED else f"{listed} and {len(values) - _NAMED} more"
