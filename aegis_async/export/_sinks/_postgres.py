"""PostgreSQL at an address, through ADBC: rows by COPY, one transaction a batch."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc
from adbc_driver_manager import Error
from adbc_driver_postgresql import dbapi

from aegis_async.errors import ExportError
from aegis_async.export._refusals import quoted
from aegis_async.export._schema import Kind
from aegis_async.export._sinks._database import Row, undone
from aegis_async.export._sinks._sql import SqlSink

__all__ = ["opened"]

_LOCK: Final = 0x616567697361  # "aegisa", in the number space of the database's advisory locks
_PATIENCE: Final = "3s"  # the server takes a moment to notice that the last holder has gone
_LOCK_TIMEOUT: Final = "55P03"
_NUL: Final = "\x00"


def opened(out: Path | None, intent: str, to: str | None) -> SqlSink:  # noqa: ARG001 - it is at an address
    """Give the sink of the database at ``to``.

    Raises:
        ExportError: The database cannot be reached or used.
    """
    return SqlSink(_Postgres(str(to)), intent)


class _Postgres:
    types: Mapping[Kind, str] = {
        "int64": "BIGINT",
        "float64": "DOUBLE PRECISION",
        "text": "TEXT",
        "bool": "BOOLEAN",
        "timestamp": "TIMESTAMPTZ",
        "decimal": "NUMERIC(38, 18)",
        "decimal_text": "TEXT",
        "json": "TEXT",
    }
    day = "CAST(finished_at AT TIME ZONE 'UTC' AS DATE)"
    key = " PRIMARY KEY"
    references = " REFERENCES collections (collection_id)"
    indexed = True

    def __init__(self, to: str) -> None:
        address = urlsplit(to)
        self._secret = address.password
        self.name = f"{address.scheme}://{address.hostname or ''}{address.path}"
        with self._told():
            self._connection = dbapi.connect(to)
        with undone(self.close, ExportError), self.transaction():
            self._take_lock()

    def _take_lock(self) -> None:
        try:
            self.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
            self.query(f"SELECT pg_advisory_lock({_LOCK})")
        except Error as error:
            if error.sqlstate != _LOCK_TIMEOUT:
                raise
        else:
            return
        raise ExportError(f"{self.name} is held by another export; wait for its end")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._told(), undone(self._connection.rollback, Error):
            yield
            self._connection.commit()

    def execute(self, statement: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)

    def query(self, statement: str) -> list[Row]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def has(self, table: str) -> bool:
        return self.query(f"SELECT to_regclass('{table}') IS NOT NULL") == [(True,)]

    def insert(self, table: str, rows: pa.Table) -> None:
        with self._connection.cursor() as cursor:
            cursor.adbc_ingest(table, _without_nul(rows), mode="append")

    def publish(self) -> None:
        """Do nothing: a commit is all that readers need."""

    def close(self) -> None:
        with self._told():
            self._connection.close()

    def _told(self) -> AbstractContextManager[None]:
        return quoted(self.name, Error, secret=self._secret)


def _without_nul(rows: pa.Table) -> pa.Table:
    """Give the rows with U+FFFD for U+0000, which the database's texts cannot hold; the raw bodies have it."""
    for number, field in enumerate(rows.schema):
        if pa.types.is_string(field.type) and pc.any(pc.match_substring(rows[number], _NUL)).as_py():
            mended = pc.replace_substring(rows[number], _NUL, "\N{REPLACEMENT CHARACTER}")
            rows = rows.set_column(number, field, mended)
    return rows
