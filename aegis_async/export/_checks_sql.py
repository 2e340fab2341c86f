"""What can be wrong with the rows of a database, asked of the database itself."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final, TypeAlias

from aegis_async.export._schema import TABLES

__all__ = ["duckdb_at_fault", "sqlite_at_fault"]

Ask: TypeAlias = Callable[[str], list[tuple[Any, ...]]]

_WITHOUT: Final = "SELECT count(*) FROM {table} AS a LEFT JOIN {other} AS b ON {same} WHERE b.collection_id IS NULL"
_REFERENCES: Final = (
    ("evaluations", "runs", "a.collection_id = b.collection_id AND a.run_id = b.id", "no run"),
    ("runs", "collections", "a.collection_id = b.collection_id", "no collection"),
    ("datasets", "collections", "a.collection_id = b.collection_id", "no collection"),
    ("collections", "_aegis_collections", "a.collection_id = b.collection_id", "no mark"),
)


def sqlite_at_fault(file: Path) -> list[str]:
    """Give what is wrong with a SQLite file."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            ((sound,),) = connection.execute("PRAGMA quick_check(1)").fetchall()
            if sound != "ok":
                return [sound]
            return list(_faults(lambda query: connection.execute(query).fetchall()))
    except sqlite3.Error as error:
        return [str(error)]


def duckdb_at_fault(file: Path) -> list[str]:
    """Give what is wrong with a DuckDB file."""
    try:
        import duckdb  # noqa: PLC0415 - an extra
    except ImportError:
        return ['cannot be checked without duckdb: pip install "aegis-async[duckdb]"']
    try:
        with duckdb.connect(file, read_only=True) as connection:
            return list(_faults(lambda query: connection.execute(query).fetchall()))
    except duckdb.Error as error:
        return [str(error)]


def _faults(ask: Ask) -> Iterator[str]:
    for table in TABLES:
        key = ", ".join(table.key)
        twice = f"SELECT {key} FROM {table.name} GROUP BY {key} HAVING count(*) > 1"  # noqa: S608 - names of ours
        ((count,),) = ask(f"SELECT count(*) FROM ({twice}) AS twice")  # noqa: S608 - names of ours
        if count:
            yield f"{table.name} has {count} keys twice"
    for name, other, same, lack in _REFERENCES:
        ((count,),) = ask(_WITHOUT.format(table=name, other=other, same=same))
        if count:
            yield f"{count} rows of {name} have {lack}"
    held = "FROM _aegis_collections AS a LEFT JOIN collections AS b ON a.collection_id = b.collection_id"
    ((count,),) = ask(f"SELECT count(*) {held} WHERE a.pass IS NOT NULL AND b.collection_id IS NULL")
    if count:
        yield f"{count} collections are marked as held and have no row"
