"""What databases have in common: the tables of the schema, the marks beside the rows, one transaction a batch."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any, Final, Protocol, TypeAlias

import msgspec
import pyarrow as pa

from aegis_async.errors import ExportError
from aegis_async.export._evidence import ListingEvidence
from aegis_async.export._holdings import Holdings, Mark, Pass
from aegis_async.export._schema import SCHEMA_VERSION, TABLES, Kind, Table
from aegis_async.export._sinks._protocol import Batch

__all__ = ["MARKS", "Database", "Row", "SqlSink"]

Row: TypeAlias = tuple[Any, ...]

MARKS: Final = "_aegis_collections"
_PROGRESS: Final = "_aegis_pass"
_MARKS: Final = "collection_id BIGINT{key}, fingerprint TEXT, pass BIGINT, settled BOOLEAN, gone BOOLEAN"
_MARK_SCHEMA: Final = pa.schema(
    {
        "collection_id": pa.int64(),
        "fingerprint": pa.string(),
        "pass": pa.int64(),
        "settled": pa.bool_(),
        "gone": pa.bool_(),
    }
)
_AT_ONCE: Final = 500  # ids in one statement

_LATEST_RUNS: Final = """
CREATE VIEW latest_runs AS
SELECT * FROM (
    SELECT runs.*, row_number() OVER (
        PARTITION BY collection_id, model_slug ORDER BY finished_at DESC, id DESC
    ) AS place
    FROM runs WHERE finished_at IS NOT NULL
) AS ended WHERE place = 1
"""
_RATES: Final = """
CREATE VIEW pass_rate_by_model_and_day AS
SELECT model_slug, {day} AS day, count(*) AS runs,
       avg(CASE WHEN is_gte_threshold THEN 1.0 WHEN NOT is_gte_threshold THEN 0.0 END) AS pass_rate
FROM runs WHERE finished_at IS NOT NULL
GROUP BY model_slug, {day}
"""


class Database(Protocol):
    """A connection, and how its database differs from others.

    Attributes:
        name: What errors speak of.
        types: Its type for each kind of column.
        day: The day of ``finished_at`` in UTC.
        key: What stands behind a column that is its table's key.
        references: What stands behind ``collection_id`` in the tables below ``collections``.
        indexed: Whether an index on ``collection_id`` helps.
    """

    name: str
    types: Mapping[Kind, str]
    day: str
    key: str
    references: str
    indexed: bool

    def transaction(self) -> AbstractContextManager[None]:
        """Give a block that happens as a whole or not at all.

        Raises:
            ExportError: Something in it failed.
        """

    def execute(self, statement: str) -> None:
        """Run one statement."""

    def query(self, statement: str) -> list[Row]:
        """Give the rows of a query."""

    def has(self, table: str) -> bool:
        """Tell whether there is such a table."""

    def insert(self, table: str, rows: pa.Table) -> None:
        """Add rows to a table."""

    def publish(self) -> None:
        """Let readers have what was written; from here on it is only read."""

    def close(self) -> None:
        """Let readers have what was written, if they have not yet, and end the connection."""


class SqlSink:
    """Keeps rows and marks in one database.

    Args:
        database: The database, which is made ready when it is not.
        intent: What this run goes through.

    Raises:
        ExportError: It holds something else, or was made by another version.
    """

    demands = True

    def __init__(self, database: Database, intent: str) -> None:
        self._database = database
        try:
            last, marks = self._begun()
        except BaseException:
            with suppress(ExportError):  # what is wrong with it is the error to hear of
                database.close()
            raise
        buried = [row[0] for row in marks if row[4]]
        kept = [Mark(id_, mark, number, bool(settled)) for id_, mark, number, settled, _ in marks if number is not None]
        self._holdings = Holdings(kept, buried, last.next(intent))

    @property
    def holdings(self) -> Holdings:
        """What the database holds."""
        return self._holdings

    def write(self, batch: Batch) -> None:
        """Put the rows of these collections in the place of what is held of them, in one transaction.

        Raises:
            ExportError: They could not be written.
        """
        if not batch.marks:
            return
        marks = self._holdings.of_this_pass(batch.marks)
        known = self._holdings.marks.keys() | self._holdings.buried
        with self._database.transaction():
            self._delete([table.name for table in reversed(TABLES)], [m.id for m in marks if m.id in known])
            self._delete([MARKS], [mark.id for mark in marks if mark.id in known])
            for table in TABLES:
                if batch.tables[table.name].num_rows:
                    self._database.insert(table.name, batch.tables[table.name])
            self._database.insert(MARKS, _mark_rows(marks))
            self._set_pass(self._holdings.current)
        self._holdings.take(marks)

    def bury(self, ids: Sequence[int], *, drop: bool) -> None:
        """Note that the service no longer has these collections.

        Raises:
            ExportError: It could not be written.
        """
        held = self._holdings.marks.keys()
        new = [id_ for id_ in ids if id_ in held and id_ not in self._holdings.buried]
        dropped = [id_ for id_ in {*new, *self._holdings.buried} if id_ in held] if drop else []
        with self._database.transaction():
            for some in _listed(new):
                self._database.execute(f"UPDATE {MARKS} SET gone = TRUE WHERE collection_id IN ({some})")  # noqa: S608 - ints
            for some in _listed(dropped):
                self._database.execute(f"UPDATE {MARKS} SET pass = NULL WHERE collection_id IN ({some})")  # noqa: S608 - ints
            self._delete([table.name for table in reversed(TABLES)], dropped)
        self._holdings.bury({*new, *dropped}, drop=drop)

    def finish(self, listing: ListingEvidence | None) -> None:  # noqa: ARG002 - the folder's commit has it
        """End the pass.

        Raises:
            ExportError: It could not be written.
        """
        with self._database.transaction():
            self._set_pass(msgspec.structs.replace(self._holdings.current, finished=True))
        self._database.publish()

    def rows(self) -> Mapping[str, int]:
        """Give how many rows each table holds."""
        with self._database.transaction():
            return {t.name: int(self._database.query(f"SELECT count(*) FROM {t.name}")[0][0]) for t in TABLES}  # noqa: S608 - ours

    def close(self) -> None:
        """End the connection."""
        self._database.close()

    def _begun(self) -> tuple[Pass, list[Row]]:
        with self._database.transaction():
            if not self._database.has(_PROGRESS):
                self._create()
            query = f"SELECT collection_id, fingerprint, pass, settled, gone FROM {MARKS}"  # noqa: S608 - a name of ours
            return self._last_pass(), self._database.query(query)

    def _create(self) -> None:
        taken = [table.name for table in TABLES if self._database.has(table.name)]
        if taken:
            raise ExportError(f"{self._database.name} has a table {taken[0]} that is not of an export; use another one")
        for table in TABLES:
            self._database.execute(self._definition(table))
            if self._database.indexed and table.name != "collections":
                self._database.execute(f"CREATE INDEX {table.name}_by_key ON {table.name} ({', '.join(table.key)})")
        self._database.execute(f"CREATE TABLE {MARKS} ({_MARKS.format(key=self._database.key)})")
        self._database.execute(
            f"CREATE TABLE {_PROGRESS} (schema_version INTEGER, number BIGINT, intent TEXT, finished BOOLEAN)"
        )
        self._database.execute(f"INSERT INTO {_PROGRESS} VALUES ({SCHEMA_VERSION}, 0, '', TRUE)")  # noqa: S608 - ours
        self._database.execute(_LATEST_RUNS)
        self._database.execute(_RATES.format(day=self._database.day))

    def _definition(self, table: Table) -> str:
        types = self._database.types
        columns = [f"{c.name} {types[c.kind]}{'' if c.nullable else ' NOT NULL'}" for c in table.columns]
        columns[0] += self._database.references if table.name != "collections" else self._database.key
        return f"CREATE TABLE {table.name} ({', '.join(columns)})"

    def _last_pass(self) -> Pass:
        ((version, number, intent, finished),) = self._database.query(
            f"SELECT schema_version, number, intent, finished FROM {_PROGRESS}"  # noqa: S608 - ours
        )
        if version != SCHEMA_VERSION:
            raise ExportError(
                f"{self._database.name} has schema {version}, and this version of aegis_async knows "
                f"{SCHEMA_VERSION}: export into a new one, or with the version that wrote it"
            )
        return Pass(number, intent, bool(finished))

    def _set_pass(self, current: Pass) -> None:
        intent = current.intent.replace("'", "''")
        self._database.execute(
            f"UPDATE {_PROGRESS} SET number = {current.number}, intent = '{intent}', finished = {current.finished}"  # noqa: S608 - ours
        )

    def _delete(self, tables: Sequence[str], ids: Sequence[int]) -> None:
        for table in tables:
            for some in _listed(ids):
                self._database.execute(f"DELETE FROM {table} WHERE collection_id IN ({some})")  # noqa: S608 - ints


def _listed(ids: Sequence[int]) -> Iterator[str]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ", ".join(map(str, ids[start : start + _AT_ONCE]))


def _mark_rows(marks: Sequence[Mark]) -> pa.Table:
    columns = [
        [mark.id for mark in marks],
        [mark.fingerprint for mark in marks],
        [mark.number for mark in marks],
        [mark.settled for mark in marks],
        [False] * len(marks),
    ]
    return pa.table(columns, schema=_MARK_SCHEMA)
