"""DuckDB: a working copy beside the database file, published by a rename, so that no reader is ever locked out."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from aegis_async.errors import ExportError
from aegis_async.export._layout import DUCKDB, DUCKDB_COPY, DUCKDB_WORK
from aegis_async.export._refusals import explained, quoted
from aegis_async.export._schema import Kind
from aegis_async.export._sinks._database import Row, undone
from aegis_async.export._sinks._sql import SqlSink
from aegis_async.export._store import sync_folder

__all__ = ["opened"]


def opened(out: Path, intent: str, to: str | None) -> SqlSink:  # noqa: ARG001 - it is a file in the folder
    """Give the sink of ``out/export.duckdb``.

    Raises:
        ExportError: The file cannot be used.
    """
    return SqlSink(_DuckDB(out), intent)


class _DuckDB:
    types: Mapping[Kind, str] = {
        "int64": "BIGINT",
        "float64": "DOUBLE",
        "text": "VARCHAR",
        "bool": "BOOLEAN",
        "timestamp": "TIMESTAMPTZ",
        "decimal": "DECIMAL(38, 18)",
        "decimal_text": "VARCHAR",
        "json": "JSON",
    }
    day = "CAST(make_timestamp(epoch_us(finished_at)) AS DATE)"
    key = references = ""  # its keys may refuse a row that is deleted and written again in one transaction
    indexed = False

    def __init__(self, out: Path) -> None:
        self._published, self._work, copy = out / DUCKDB, out / DUCKDB_WORK, out / DUCKDB_COPY
        self.name = str(self._published)
        # A working copy that is there holds what a run committed and did not come to publish.
        fresh = not self._work.exists()
        with explained(self._published):
            if self._published.exists() and fresh:
                shutil.copyfile(self._published, copy)
                copy.replace(self._work)
        try:
            with self._told():
                self._connection = duckdb.connect(self._work)
        except ExportError:
            if fresh:  # a copy of what is no database is nothing that a run committed
                self._work.unlink(missing_ok=True)
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._told():
            self._connection.begin()
            with undone(self._connection.rollback, duckdb.Error):
                yield
                self._connection.commit()

    def execute(self, statement: str) -> None:
        self._connection.execute(statement)

    def query(self, statement: str) -> list[Row]:
        return self._connection.execute(statement).fetchall()

    def has(self, table: str) -> bool:
        return bool(self.query(f"SELECT 1 FROM duckdb_tables() WHERE table_name = '{table}'"))  # noqa: S608 - ours

    def insert(self, table: str, rows: pa.Table) -> None:
        self._connection.register("_rows", rows)
        self._connection.execute(f"INSERT INTO {table} SELECT * FROM _rows")  # noqa: S608 - a name of ours
        self._connection.unregister("_rows")

    def publish(self) -> None:
        self._put_in_place()
        with self._told():
            self._connection = duckdb.connect(self._published, read_only=True)

    def close(self) -> None:
        if self._work.exists():
            self._put_in_place()
        with self._told():
            self._connection.close()

    def _put_in_place(self) -> None:
        try:
            with self._told():
                self._connection.execute("CHECKPOINT")
        finally:  # one that has failed is of no use to whoever opens the file next in this process
            self._connection.close()
        with explained(self._published):
            self._work.replace(self._published)
            sync_folder(self._published.parent)

    def _told(self) -> AbstractContextManager[None]:
        return quoted(self.name, duckdb.Error)
