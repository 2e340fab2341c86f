"""SQLite: one database file in the folder, written in place, one transaction a batch."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

import pyarrow as pa

from aegis_async.export._layout import SQLITE
from aegis_async.export._refusals import quoted
from aegis_async.export._schema import Kind
from aegis_async.export._sinks._database import Row, undone
from aegis_async.export._sinks._sql import SqlSink

__all__ = ["opened"]

_AT_ONCE: Final = 10_000  # rows; as Python's values they take some ten times their memory
_PATIENCE: Final = 30.0  # seconds for which a reader may hold up a commit


def opened(out: Path, intent: str, to: str | None) -> SqlSink:  # noqa: ARG001 - it is a file in the folder
    """Give the sink of ``out/export.sqlite``.

    Raises:
        ExportError: The file cannot be used.
    """
    return SqlSink(_Sqlite(out / SQLITE), intent)


class _Sqlite:
    types: Mapping[Kind, str] = {
        "int64": "INTEGER",
        "float64": "REAL",
        "text": "TEXT",
        "bool": "BOOLEAN",
        "timestamp": "TEXT",
        "decimal": "TEXT",  # a number would be a float
        "decimal_text": "TEXT",
        "json": "TEXT",
    }
    day = "substr(finished_at, 1, 10)"
    key = " PRIMARY KEY"
    references = " REFERENCES collections (collection_id)"
    indexed = True

    def __init__(self, file: Path) -> None:
        self.name = str(file)
        with self._told():
            # Calls come from threads, one at a time.
            self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=_PATIENCE)
            with undone(self._connection.close, sqlite3.Error):
                self._connection.execute("PRAGMA synchronous = FULL")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._told():
            self._connection.execute("BEGIN IMMEDIATE")
            with undone(self._connection.rollback, sqlite3.Error):
                yield
                self._connection.execute("COMMIT")

    def execute(self, statement: str) -> None:
        self._connection.execute(statement)

    def query(self, statement: str) -> list[Row]:
        return self._connection.execute(statement).fetchall()

    def has(self, table: str) -> bool:
        return bool(self.query(f"SELECT 1 FROM sqlite_master WHERE name = '{table}'"))  # noqa: S608 - a name of ours

    def insert(self, table: str, rows: pa.Table) -> None:
        statement = f"INSERT INTO {table} VALUES ({', '.join('?' * rows.num_columns)})"  # noqa: S608 - names of ours
        for batch in rows.to_batches(_AT_ONCE):
            columns = [_plain(column).to_pylist() for column in batch.columns]
            self._connection.executemany(statement, zip(*columns, strict=True))

    def publish(self) -> None:
        """Do nothing: a commit is all that readers need."""

    def close(self) -> None:
        with self._told():
            self._connection.close()

    def _told(self) -> AbstractContextManager[None]:
        return quoted(self.name, sqlite3.Error)


def _plain(column: pa.Array) -> pa.Array:
    """Give a column in a type that SQLite keeps without loss; its functions of time read what comes of a timestamp."""
    kept_as_text = pa.types.is_timestamp(column.type) or pa.types.is_decimal(column.type)
    return column.cast(pa.string()) if kept_as_text else column
