"""Where the sinks under test write to, and how what they wrote is read without them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset
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


def _files(pattern: str, ask: Callable[[str, str], pa.Table]) -> Callable[[Path], AbstractContextManager[Place]]:
    @contextmanager
    def place(out: Path) -> Iterator[Place]:
        yield Place(out, lambda table: ask(f"{out}/{table}/{pattern}", table).cast(TABLE_SCHEMAS[table]))

    return place


def _parquet(glob: str, _table: str) -> pa.Table:
    return _asked(f"SELECT * FROM '{glob}'")  # noqa: S608 - a path of ours


def _ndjson(glob: str, table: str) -> pa.Table:
    names = {field.name: _type(field.type) for field in TABLE_SCHEMAS[table]}
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in names.items())
    asked = f"SELECT * FROM read_json('{glob}', format='newline_delimited', columns={{{columns}}})"  # noqa: S608 - ours
    return _asked(asked)


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


READERS: dict[str, Callable[[Path], AbstractContextManager[Place]]] = {
    "parquet": _files("*.parquet", _parquet),
    "ndjson": _files("*.ndjson.zst", _ndjson),
    "csv": _files("*.csv", _csv),
    "arrow": _files("*.arrow", _arrow),
}
