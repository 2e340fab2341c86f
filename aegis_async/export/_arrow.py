"""Rows to Arrow tables, column by column; the only module that knows Arrow's types.

It needs the extra `export`, so it is imported only when an export begins.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import astuple

from aegis_async.export._documents import NOTHING
from aegis_async.export._layout import RAW
from aegis_async.export._rows import Rows, Tables
from aegis_async.export._schema import SCHEMA_VERSION, TABLES, Column, Kind, Table

__all__ = [
    "RAW_SCHEMA",
    "SCHEMAS",
    "TABLE_SCHEMAS",
    "Piece",
    "UnfitError",
    "pieces_of",
    "tables_of",
    "unfit_costs",
    "warm_up",
]

# Rows. Building arrays holds the interpreter's lock, also in a thread, and the loop must not wait 20 ms for it.
_PIECE: Final = 1000
_WHOLE_DIGITS: Final = 20
_FRACTION_DIGITS: Final = 18
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_encode: Final = msgspec.json.Encoder().encode

_TYPES: Final[Mapping[Kind, pa.DataType]] = {
    "int64": pa.int64(),
    "float64": pa.float64(),
    "text": pa.string(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "decimal": pa.decimal128(_WHOLE_DIGITS + _FRACTION_DIGITS, _FRACTION_DIGITS),
    "decimal_text": pa.string(),
    "json": pa.string(),
}


Piece: TypeAlias = tuple[str, pa.RecordBatch]
"""Some rows, and the name of their table."""


class UnfitError(Exception):
    """A value does not fit its column, as an id beyond 64 bits."""


def _schema(table: Table) -> pa.Schema:
    fields = [pa.field(c.name, _TYPES[c.kind], nullable=c.nullable) for c in table.columns]
    return pa.schema(fields, metadata={"aegis_async.schema_version": str(SCHEMA_VERSION)})


TABLE_SCHEMAS: Final[Mapping[str, pa.Schema]] = {table.name: _schema(table) for table in TABLES}
RAW_SCHEMA: Final = pa.schema([pa.field("collection_id", pa.int64()), pa.field("line", pa.large_binary())])
SCHEMAS: Final[Mapping[str, pa.Schema]] = {**TABLE_SCHEMAS, RAW: RAW_SCHEMA}


def warm_up() -> None:
    """Have Arrow make its first array, for which it imports pandas where that is installed: a second or so."""
    pa.array([])


def pieces_of(tables: Tables, wanted: Collection[str] = TABLE_SCHEMAS) -> Iterator[Piece]:
    """Yield the rows of each wanted table in pieces, each of which takes some milliseconds.

    Raises:
        UnfitError: A value does not fit its column.
    """
    for table in TABLES:
        rows = tables[table.name] if table.name in wanted else Rows()
        for start in range(0, len(rows.records), _PIECE):
            yield table.name, _piece(table, rows, slice(start, start + _PIECE))


def tables_of(pieces: Iterable[Piece]) -> dict[str, pa.Table]:
    """Give the Arrow table of each table's name, made of its pieces without a copy."""
    batches: dict[str, list[pa.RecordBatch]] = {name: [] for name in TABLE_SCHEMAS}
    for name, piece in pieces:
        batches[name].append(piece)
    return {name: pa.Table.from_batches(batches[name], schema) for name, schema in TABLE_SCHEMAS.items()}


def unfit_costs(evaluations: pa.Table) -> int:
    """Give the number of costs that only their text column could hold."""
    exact, text = evaluations["evaluation_cost"], evaluations["evaluation_cost_text"]
    return int(exact.null_count - text.null_count)


def _piece(table: Table, rows: Rows, part: slice) -> pa.RecordBatch:
    first, *own = table.columns
    arrays = _arrays(table, first, rows.collection_ids[part])
    # All fields at once cost half of what one after the other does.
    records = rows.records[part]
    fields = zip(*map(astuple, records), strict=True)
    values = dict(zip(records[0].__struct_fields__, fields, strict=True))  # a large collection's are fewer
    for column in own:
        if column.kind != "decimal_text":  # the column before it gives that one too
            arrays += _arrays(table, column, _values(column, values[column.field]))
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMAS[table.name])


def _values(column: Column, values: Sequence[Any]) -> Sequence[object]:
    if not column.part:
        return values
    return [None if value is None else getattr(value, column.part) for value in values]


def _arrays(table: Table, column: Column, values: Sequence[object]) -> list[pa.Array]:
    build = _BUILT.get(column.kind)
    try:
        return build(values) if build else [pa.array(values, _TYPES[column.kind])]
    except (OverflowError, ValueError) as error:  # Arrow's own errors are ValueErrors
        raise UnfitError(f"{table.name}.{column.name} holds a value that does not fit {column.kind}: {error}") from None


def _timestamps(values: Sequence[datetime | None]) -> list[pa.Array]:
    # Arrow would ask every datetime for its zone, which takes four times as long.
    since = [None if value is None else value - _EPOCH for value in values]
    return [pa.array(since, pa.duration("us")).view(_TYPES["timestamp"])]


def _json(values: Sequence[object]) -> list[pa.Array]:
    texts = [None if value is None else _encode(value) for value in values]
    return [pa.array([None if text == NOTHING else text for text in texts], pa.string())]


def _decimals(values: Sequence[Decimal | None]) -> list[pa.Array]:
    """Give the decimals and, for the column of texts beside them, the texts that they are made of."""
    texts = pa.array([None if value is None else str(value) for value in values], pa.string())
    longest = pc.max(pc.binary_length(texts)).as_py() or 0
    if longest <= _WHOLE_DIGITS and not pc.any(pc.match_substring(texts, "E")).as_py():
        return [texts.cast(_TYPES["decimal"]), texts]  # half of the time that Decimals take
    return [pa.array(_exact(values), _TYPES["decimal"]), texts]


def _exact(values: Sequence[Decimal | None]) -> list[Decimal | None]:
    return [None if value is None else _fitted(value) for value in values]


def _fitted(value: Decimal) -> Decimal | None:
    """Give ``value`` where the column holds it exactly, else None.

    Arrow itself must not be asked: an exponent of minus a hundred million would end the process.
    """
    text = str(value)
    if len(text) <= _WHOLE_DIGITS and "E" not in text:
        return value
    sign, digits, exponent = value.as_tuple()
    significant = "".join(map(str, digits)).rstrip("0")
    if not significant.strip("0"):
        return Decimal(0)
    exponent = int(exponent) + len(digits) - len(significant)
    if -exponent > _FRACTION_DIGITS or value.adjusted() >= _WHOLE_DIGITS:
        return None
    return Decimal((sign, tuple(map(int, significant)), exponent))


_BUILT: Final[Mapping[Kind, Callable[[Sequence[Any]], list[pa.Array]]]] = {
    "timestamp": _timestamps,
    "json": _json,
    "decimal": _decimals,
}
