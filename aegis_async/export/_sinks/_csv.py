"""CSV with a line of names: null is an empty field, an empty text is a pair of quotes."""

import pyarrow as pa
from pyarrow import csv

from aegis_async.export._sinks._file_format import TABLE_NAMES

__all__ = ["Format"]


class Format:
    """CSV files, not compressed, for whatever reads nothing else."""

    name = "csv"
    extension = "csv"
    tables = TABLE_NAMES

    def encode(self, table: pa.Table) -> pa.Buffer:
        """Give the bytes of a file with these rows."""
        buffer = pa.BufferOutputStream()
        csv.write_csv(table, buffer)
        return buffer.getvalue()

    def decode(self, data: bytes, schema: pa.Schema) -> pa.Table:
        """Give the rows of a file's bytes."""
        return csv.read_csv(
            pa.BufferReader(data),
            read_options=csv.ReadOptions(block_size=len(data) + 1),  # a row may be as long as the file
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                column_types=schema,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        ).cast(schema)
