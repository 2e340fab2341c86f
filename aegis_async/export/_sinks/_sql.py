"""What databases have in common as sinks: the marks beside the rows, one transaction a batch."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec
import pyarrow as pa

from aegis_async.errors import ExportError
from aegis_async.export._evidence import ListingEvidence
from aegis_async.export._holdings import Holdings, Mark, Pass
from aegis_async.export._schema import SCHEMA_VERSION, TABLES
from aegis_async.export._sinks._created import MARKS, PROGRESS, make_ready
from aegis_async.export._sinks._database import Database, Row, undone
from aegis_async.export._sinks._protocol import Batch

__all__ = ["SqlSink"]

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


class SqlSink:
    """Keeps rows and marks in one database.

    Args:
        database: The database, which is made ready when it is not.
        intent: What this run goes through.

    Attributes:
        holdings: What the database holds.

    Raises:
        ExportError: It holds something else, or was made by another version.
    """

    demands = True

    def __init__(self, database: Database, intent: str) -> None:
        self._database = database
        with undone(database.close, ExportError):
            last, marks = self._begun()
        buried = [row[0] for row in marks if row[4]]
        kept = [Mark(id_, mark, number, bool(settled)) for id_, mark, number, settled, _ in marks if number is not None]
        self.holdings = Holdings(kept, buried, last.next(intent))

    def write(self, batch: Batch) -> None:
        """Put the rows of these collections in the place of what is held of them, in one transaction.

        Raises:
            ExportError: They could not be written.
        """
        if not batch.marks:
            return
        marks = self.holdings.of_this_pass(batch.marks)
        held, buried = self.holdings.marks, self.holdings.buried
        known = [mark.id for mark in marks if mark.id in held or mark.id in buried]
        with self._database.transaction():
            self._delete([*(table.name for table in reversed(TABLES)), MARKS], known)
            for table in TABLES:
                if batch.tables[table.name].num_rows:
                    self._database.insert(table.name, batch.tables[table.name])
            self._database.insert(MARKS, _mark_rows(marks))
            self._set_pass(self.holdings.current)
        self.holdings.take(marks)

    def bury(self, ids: Sequence[int], *, drop: bool) -> None:
        """Note that the service no longer has these collections.

        Raises:
            ExportError: It could not be written.
        """
        held, buried = self.holdings.marks, self.holdings.buried
        new = [id_ for id_ in ids if id_ in held and id_ not in buried]
        dropped = [id_ for id_ in {*new, *buried} if id_ in held] if drop else []
        with self._database.transaction():
            for some in _listed(new):
                self._database.execute(f"UPDATE {MARKS} SET gone = TRUE WHERE collection_id IN ({some})")  # noqa: S608 - ints
            for some in _listed(dropped):
                self._database.execute(f"UPDATE {MARKS} SET pass = NULL WHERE collection_id IN ({some})")  # noqa: S608 - ints
            self._delete([table.name for table in reversed(TABLES)], dropped)
        self.holdings.bury({*new, *dropped}, drop=drop)

    def finish(self, listing: ListingEvidence | None) -> None:  # noqa: ARG002 - the folder's commit has it
        """End the pass.

        Raises:
            ExportError: It could not be written.
        """
        with self._database.transaction():
            self._set_pass(msgspec.structs.replace(self.holdings.current, finished=True))
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
            make_ready(self._database)
            query = f"SELECT collection_id, fingerprint, pass, settled, gone FROM {MARKS}"  # noqa: S608 - a name of ours
            return self._last_pass(), self._database.query(query)

    def _last_pass(self) -> Pass:
        ((version, number, intent, finished),) = self._database.query(
            f"SELECT schema_version, number, intent, finished FROM {PROGRESS}"  # noqa: S608 - ours
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
            f"UPDATE {PROGRESS} SET number = {current.number}, intent = '{intent}', finished = {current.finished}"  # noqa: S608 - ours
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
