"""Where the sinks under test write to, and how what they wrote is read without them."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset
import pytest
from adbc_driver_postgresql import dbapi
from deltalake import DeltaTable
from pyarrow import csv

from aegis_async.export._arrow import TABLE_SCHEMAS


@dataclass(frozen=True)
class Place:
    """A place for exports of one format.

    Attributes:
        out: The folder.
        read: Gives a table, in the schema of the export.
        to: The address, for a database that is no file.
    """

    out: Path
    read: Callable[[str], pa.Table]
    to: str | None = None


def _files(pattern: str, ask: Callable[[str, str], pa.Table]) -> Callable[[Path, pytest.FixtureRequest], Place]:
    def place(out: Path, _: pytest.FixtureRequest) -> Place:
        return Place(out, lambda table: ask(f"{out}/{table}/{pattern}", table).cast(TABLE_SCHEMAS[table]))

    return place


def _parquet(glob: str, _table: str) -> pa.Table:
    return _asked(f"SELECT * FROM '{glob}'")  # noqa: S608 - a path of ours


def _ndjson(glob: str, table: str) -> pa.Table:
    names = {field.name: _type(field.type) for field in TABLE_SCHEMAS[table]}
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in names.items())
    asked = f"SELECT * FROM read_json('{glob}', format='newline_delimited', columns={{{columns}}})"  # noqa: S608 - ours
    return _asked(asked)


def _sqlite(out: Path, table: str) -> pa.Table:
    with closing(sqlite3.connect(f"file:{out / 'export.sqlite'}?mode=ro", uri=True)) as connection:
        rows = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - a name of ours
    schema = TABLE_SCHEMAS[table]
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table(
        [_from_sqlite(column, field.type) for column, field in zip(columns, schema, strict=True)], names=schema.names
    )


def _from_sqlite(values: tuple[Any, ...], type_: pa.DataType) -> pa.Array:
    if pa.types.is_boolean(type_):
        return pa.array([None if value is None else bool(value) for value in values], type_)
    text = pa.types.is_timestamp(type_) or pa.types.is_decimal(type_)
    return pa.array(values, pa.string()).cast(type_) if text else pa.array(values, type_)


def _duckdb(out: Path, table: str) -> pa.Table:
    with duckdb.connect(out / "export.duckdb", read_only=True) as connection:
        return connection.sql(f"SELECT * FROM {table}").to_arrow_table()  # noqa: S608 - a name of ours


def _delta(out: Path, table: str) -> pa.Table:
    return DeltaTable(str(out / "delta" / table)).to_pyarrow_table()


def _database(ask: Callable[[Path, str], pa.Table]) -> Callable[[Path, pytest.FixtureRequest], Place]:
    def place(out: Path, _: pytest.FixtureRequest) -> Place:
        return Place(out, lambda table: ask(out, table).cast(TABLE_SCHEMAS[table]))

    return place


def _postgres(out: Path, request: pytest.FixtureRequest) -> Place:
    address: str = request.getfixturevalue("postgres")()

    def read(table: str) -> pa.Table:
        listed = ", ".join(
            f"{field.name}::text" if pa.types.is_decimal(field.type) else field.name for field in TABLE_SCHEMAS[table]
        )
        with dbapi.connect(address) as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT {listed} FROM {table}")  # noqa: S608 - names of ours
            return cursor.fetch_arrow_table().cast(TABLE_SCHEMAS[table])

    return Place(out, read, address)


def _asked(query: str) -> pa.Table:
    with duckdb.connect() as connection:
        return connection.sql(query).to_arrow_table()


def _type(type_: pa.DataType) -> str:
    known = {"int64": "BIGINT", "double": "DOUBLE", "string": "VARCHAR", "bool": "BOOLEAN"}
    wide = "DECIMAL(38,18)" if pa.types.is_decimal(type_) else "TIMESTAMPTZ"
    return known.get(str(type_), wide)


def _csv(glob: str, table: str) -> pa.Table:
    folder, pattern = glob.rsplit("/", 1)
    options = csv.ConvertOptions(
        column_types=TABLE_SCHEMAS[table], strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
    )
    parsed = csv.ParseOptions(newlines_in_values=True)
    files = sorted(Path(folder).glob(pattern))
    return pa.concat_tables([csv.read_csv(f, parse_options=parsed, convert_options=options) for f in files])


def _arrow(glob: str, table: str) -> pa.Table:
    folder, pattern = glob.rsplit("/", 1)
    return pyarrow.dataset.dataset(
        sorted(Path(folder).glob(pattern)), format="ipc", schema=TABLE_SCHEMAS[table]
    ).to_table()


READERS: dict[str, Callable[[Path, pytest.FixtureRequest], Place]] = {
    "parquet": _files("*.parquet", _parquet),
    "ndjson": _files("*.ndjson.zst", _ndjson),
    "csv": _files("*.csv", _csv),
    "arrow": _files("*.arrow", _arrow),
    "duckdb": _database(_duckdb),
    "sqlite": _database(_sqlite),
    "postgres": _postgres,
    "delta": _database(_delta),
}
