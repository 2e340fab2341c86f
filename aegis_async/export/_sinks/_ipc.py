"""Arrow's own files (IPC), compressed with zstd."""

import pyarrow as pa

from aegis_async.export._sinks._file_format import TABLE_NAMES

__all__ = ["Format"]


class Format:
    """Arrow IPC files."""

    name = "arrow"
    extension = "arrow"
    tables = TABLE_NAMES

    def encode(self, table: pa.Table) -> pa.Buffer:
        """Give the bytes of a file with these rows."""
        buffer = pa.BufferOutputStream()
        with pa.ipc.new_file(buffer, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
            writer.write_table(table)
        return buffer.getvalue()

    def decode(self, data: bytes, schema: pa.Schema) -> pa.Table:
        """Give the rows of a file's bytes."""
        return pa.ipc.open_file(pa.BufferReader(data)).read_all().cast(schema)
