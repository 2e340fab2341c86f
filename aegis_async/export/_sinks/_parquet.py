"""Parquet, compressed with zstd."""

import pyarrow as pa
import pyarrow.parquet as pq

from aegis_async.export._sinks._file_format import TABLE_NAMES

__all__ = ["Format"]


class Format:
    """Parquet files."""

    name = "parquet"
    extension = "parquet"
    tables = TABLE_NAMES

    def encode(self, table: pa.Table) -> pa.Buffer:
        """Give the bytes of a file with these rows."""
        buffer = pa.BufferOutputStream()
        pq.write_table(table, buffer, compression="zstd")
        return buffer.getvalue()

    def decode(self, data: bytes, schema: pa.Schema) -> pa.Table:
        """Give the rows of a file's bytes."""
        return pq.read_table(pa.BufferReader(data), schema=schema)
