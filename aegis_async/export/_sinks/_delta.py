"""Delta tables in the folder: each batch replaces its collections table by table, and their marks come last.

A Delta table is a transaction of its own, so that a reader may see a batch in one table before another. What
counts is the table of marks: without its mark a collection is fetched again, and its rows are replaced.

Its calls begin as those of ``_sql`` do, and share no base with them: what they have in common is the ``Sink`` alone.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError

from aegis_async.errors import ExportError
from aegis_async.export._arrow import TABLE_SCHEMAS
from aegis_async.export._evidence import ListingEvidence
from aegis_async.export._holdings import Holdings, Mark, Pass
from aegis_async.export._layout import DELTA
from aegis_async.export._refusals import quoted
from aegis_async.export._schema import SCHEMA_VERSION
from aegis_async.export._sinks._protocol import Batch

__all__ = ["opened"]

_MARKS: Final = "_aegis_collections"
_PROGRESS: Final = "_aegis_pass"
_SCHEMAS: Final[Mapping[str, pa.Schema]] = {
    **TABLE_SCHEMAS,
    _MARKS: pa.schema(
        {
            "collection_id": pa.int64(),
            "fingerprint": pa.string(),
            "pass": pa.int64(),
            "settled": pa.bool_(),
            "held": pa.bool_(),
            "gone": pa.bool_(),
        }
    ),
    _PROGRESS: pa.schema(
        {"schema_version": pa.int64(), "number": pa.int64(), "intent": pa.string(), "finished": pa.bool_()}
    ),
}
_FILES_KEPT: Final = 64  # more small files make every query slower


def opened(out: Path, intent: str, to: str | None) -> "_Delta":  # noqa: ARG001 - it is in the folder
    """Give the sink of the tables in ``out/delta``.

    Raises:
        ExportError: They cannot be used.
    """
    return _Delta(out / DELTA, intent)


class _Delta:
    demands = True

    def __init__(self, folder: Path, intent: str) -> None:
        self._folder = folder
        with self._told():
            for name, schema in _SCHEMAS.items():
                if not DeltaTable.is_deltatable(str(folder / name)):
                    DeltaTable.create(str(folder / name), schema)
            marks = self._table(_MARKS).to_pyarrow_table().to_pylist()
            last = self._last_pass()
        kept = [Mark(m["collection_id"], m["fingerprint"], m["pass"], m["settled"]) for m in marks if m["held"]]
        self.holdings = Holdings(kept, [m["collection_id"] for m in marks if m["gone"]], last.next(intent))

    def write(self, batch: Batch) -> None:
        """Put the rows of these collections in the place of what is held of them, then their marks.

        Raises:
            ExportError: They could not be written.
        """
        if not batch.marks:
            return
        marks = self.holdings.of_this_pass(batch.marks)
        ids = [mark.id for mark in marks]
        with self._told():
            self._set_pass(self.holdings.current)
            for name in TABLE_SCHEMAS:
                self._replace(name, ids, batch.tables[name])
            self._replace(_MARKS, ids, _mark_rows(marks, held=True, gone=False))
        self.holdings.take(marks)

    def bury(self, ids: Sequence[int], *, drop: bool) -> None:
        """Note that the service no longer has these collections.

        Raises:
            ExportError: It could not be written.
        """
        marks = self.holdings.marks
        known = self.holdings.buried
        buried = [marks[id_] for id_ in ({*ids, *known} if drop else {*ids} - known) if id_ in marks]
        if not buried:
            return
        changed = [mark.id for mark in buried]
        with self._told():
            self._replace(_MARKS, changed, _mark_rows(buried, held=True, gone=True))
            if drop:
                for name, schema in TABLE_SCHEMAS.items():
                    self._replace(name, changed, schema.empty_table())
                # Held until here: a drop that is cut short is made good by the next one.
                self._replace(_MARKS, changed, _mark_rows(buried, held=False, gone=True))
        self.holdings.bury(changed, drop=drop)

    def finish(self, listing: ListingEvidence | None) -> None:  # noqa: ARG002 - the folder's commit has it
        """End the pass, join small files, and let go of those that nobody has needed for a week.

        Raises:
            ExportError: It could not be written.
        """
        with self._told():
            for name in _SCHEMAS:
                table = self._table(name)
                if len(table.file_uris()) > _FILES_KEPT:
                    table.optimize.compact()
                table.vacuum(dry_run=False)
            self._set_pass(msgspec.structs.replace(self.holdings.current, finished=True))

    def rows(self) -> Mapping[str, int]:
        """Give how many rows each table holds."""
        with self._told():
            return {name: self._table(name).count() for name in TABLE_SCHEMAS}

    def close(self) -> None:
        """Do nothing: no file is kept open."""

    def _replace(self, name: str, ids: Sequence[int], rows: pa.Table) -> None:
        table = self._table(name)
        listed = f"collection_id IN ({', '.join(map(str, ids))})"
        if not rows.num_rows:
            table.delete(listed)
        elif table.version() == 0:  # nothing to replace
            write_deltalake(table, rows, mode="append")
        else:
            write_deltalake(table, rows, mode="overwrite", predicate=listed)

    def _set_pass(self, current: Pass) -> None:
        row = [[SCHEMA_VERSION], [current.number], [current.intent], [current.finished]]
        write_deltalake(self._table(_PROGRESS), pa.table(row, schema=_SCHEMAS[_PROGRESS]), mode="overwrite")

    def _last_pass(self) -> Pass:
        for row in self._table(_PROGRESS).to_pyarrow_table().to_pylist():
            if row["schema_version"] != SCHEMA_VERSION:
                raise ExportError(
                    f"{self._folder} has schema {row['schema_version']}, and this version of aegis_async knows "
                    f"{SCHEMA_VERSION}: export into a new folder, or with the version that wrote it"
                )
            return Pass(row["number"], row["intent"], row["finished"])
        return Pass()

    def _table(self, name: str) -> DeltaTable:
        return DeltaTable(str(self._folder / name))

    def _told(self) -> AbstractContextManager[None]:
        return quoted(str(self._folder), DeltaError, OSError)


def _mark_rows(marks: Sequence[Mark], *, held: bool, gone: bool) -> pa.Table:
    columns = [
        [mark.id for mark in marks],
        [mark.fingerprint for mark in marks],
        [mark.number for mark in marks],
        [mark.settled for mark in marks],
        [held] * len(marks),
        [gone] * len(marks),
    ]
    return pa.table(columns, schema=_SCHEMAS[_MARKS])
