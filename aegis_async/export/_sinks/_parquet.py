"""Parquet, compressed with zstd: one part for each table and batch."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from aegis_async.export._arrow import SCHEMAS
from aegis_async.export._commits import Part
from aegis_async.export._sinks._protocol import Batch, PutPart

__all__ = ["Writer"]


class Writer:
    """Writes each table of a batch as one part; a table that stays empty gets one part without rows."""

    def __init__(self, put: PutPart) -> None:
        self._put = put
        self._empty = dict(SCHEMAS)

    def write(self, batch: Batch) -> Iterator[Part]:
        """Write the tables that have rows."""
        for name, table in batch.tables.items():
            if table.num_rows:
                yield self._part(name, batch.number, table)

    def finish(self) -> Iterator[Part]:
        """Write the schema of each table that has no part, so that every query on the folders works."""
        for name, schema in tuple(self._empty.items()):
            yield self._part(name, 0, schema.empty_table())

    def _part(self, name: str, number: int, table: pa.Table) -> Part:
        buffer = pa.BufferOutputStream()
        pq.write_table(table, buffer, compression="zstd")
        part = self._put(name, number, "parquet", buffer.getvalue(), rows=table.num_rows)
        self._empty.pop(name, None)
        return part
