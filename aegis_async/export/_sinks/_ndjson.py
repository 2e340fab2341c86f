"""NDJSON, compressed with zstd: an object a row, timestamps and decimals as text."""

from typing import Final

import msgspec
import pyarrow as pa
from pyarrow import json

from aegis_async.export._sinks._file_format import TABLE_NAMES
from aegis_async.export._sinks._lines import packed, unpacked

__all__ = ["Format"]

_AT_ONCE: Final = 10_000  # rows; as Python's values they take some ten times their memory

_encode_lines: Final = msgspec.json.Encoder().encode_lines


class Format:
    """NDJSON files of the tables."""

    name = "ndjson"
    extension = "ndjson.zst"
    tables = TABLE_NAMES

    def encode(self, table: pa.Table) -> pa.Buffer:
        """Give the bytes of a file with these rows."""
        return packed(map(_lines, table.to_batches(_AT_ONCE)))

    def decode(self, data: bytes, schema: pa.Schema) -> pa.Table:
        """Give the rows of a file's bytes."""
        lines = unpacked(data)
        if not lines:
            return schema.empty_table()
        plain = pa.schema([pa.field(field.name, _plain_type(field.type)) for field in schema])
        return json.read_json(
            pa.BufferReader(lines),
            read_options=json.ReadOptions(block_size=len(lines) + 1),  # a row may be as long as the file
            parse_options=json.ParseOptions(explicit_schema=plain, unexpected_field_behavior="error"),
        ).cast(schema)


def _lines(batch: pa.RecordBatch) -> bytes:
    columns = [_plain(column).to_pylist() for column in batch.columns]
    rows = [dict(zip(batch.schema.names, row, strict=True)) for row in zip(*columns, strict=True)]
    return _encode_lines(rows)


def _plain(column: pa.Array) -> pa.Array:
    return column.cast(_plain_type(column.type))


def _plain_type(type_: pa.DataType) -> pa.DataType:
    """Give the type in which JSON holds a column without loss."""
    return pa.string() if pa.types.is_timestamp(type_) or pa.types.is_decimal(type_) else type_
