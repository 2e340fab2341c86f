"""What every sink keeps to, whatever its format; a new one joins by a line in `READERS`."""

import hashlib
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest

from aegis_async.errors import ExportError
from aegis_async.export import FORMATS, TABLES
from aegis_async.export._arrow import SCHEMAS, pieces_of
from aegis_async.export._arrow import tables_of as tables_of_pieces
from aegis_async.export._commits import Part
from aegis_async.export._folder import Folder, claim
from aegis_async.export._sinks import SINKS, Batch
from aegis_async.models import DataCollection

MakeDocument = Callable[..., dict[str, Any]]
Decode = Callable[[dict[str, Any]], DataCollection]
Read = Callable[[Path, str], pa.Table]


def tables_of(collections: Iterable[DataCollection]) -> dict[str, pa.Table]:
    return tables_of_pieces(pieces_of(collections))


def _read_parquet(out: Path, table: str) -> pa.Table:
    files = sorted((out / table).glob("*.parquet"))
    return pyarrow.dataset.dataset(files, format="parquet").to_table()


READERS: dict[str, Read] = {
    "parquet": _read_parquet,
}

every_sink = pytest.mark.parametrize("name", FORMATS)


def _write(folder: Folder, name: str, batches: Iterable[Iterable[DataCollection]]) -> list[Part]:
    sink = SINKS[name].open(folder.put)
    parts: list[Part] = []
    for number, collections in enumerate(batches, 1):
        parts += sink.write(Batch(number, [], tables_of(collections)))
    parts += sink.finish()
    folder.commit("complete", parts)
    folder.sweep()
    folder.lock.release()
    return parts


def test_every_sink_has_a_reader() -> None:
    """No format is without these tests."""
    assert set(READERS) == set(SINKS)


@every_sink
def test_every_value_comes_back(name: str, tmp_path: Path, document: MakeDocument, decoded: Decode) -> None:
    """Types, nulls, unicode, 64-bit ids and decimals are as they went in."""
    collection = decoded(document(2**53 + 1, name="\N{SNOWMAN} \x00 '\"\n\U0001f600", org_id=2**63 - 1))

    _write(claim(tmp_path), name, [[collection]])

    expected = tables_of([collection])
    assert expected == {table.name: READERS[name](tmp_path, table.name) for table in TABLES}
    assert Decimal("0.00120") == expected["evaluations"]["evaluation_cost"][0].as_py()


@every_sink
def test_batches_add_up(name: str, tmp_path: Path, document: MakeDocument, decoded: Decode) -> None:
    """Rows of every batch are there once, with those that have no runs in between."""
    batches = [[decoded(document(1))], [decoded(document(2, runs=[], datasets=[]))], [decoded(document(3))]]

    _write(claim(tmp_path), name, batches)

    rows = {table: sorted(READERS[name](tmp_path, table)["collection_id"].to_pylist()) for table in SCHEMAS}
    assert {
        "collections": [1, 2, 3],
        "datasets": [1, 3],
        "runs": [1, 3],
        "evaluations": [1, 1, 3, 3],
    } == rows


@every_sink
def test_an_empty_account_gives_empty_tables(name: str, tmp_path: Path) -> None:
    """Without a collection each table is there, with its schema and no row."""
    _write(claim(tmp_path), name, [])

    tables = {table: READERS[name](tmp_path, table) for table in SCHEMAS}
    assert dict(SCHEMAS) == {table: content.schema for table, content in tables.items()}
    assert {0} == {content.num_rows for content in tables.values()}


@every_sink
def test_a_table_without_rows_is_there_too(name: str, tmp_path: Path, document: MakeDocument, decoded: Decode) -> None:
    """A collection without runs leaves no query without its table."""
    _write(claim(tmp_path), name, [[decoded(document(runs=[]))]])

    assert 0 == READERS[name](tmp_path, "evaluations").num_rows
    assert 1 == READERS[name](tmp_path, "collections").num_rows


@every_sink
def test_a_later_run_replaces_the_rows(name: str, tmp_path: Path, document: MakeDocument, decoded: Decode) -> None:
    """After a second run a reader sees its rows alone."""
    _write(claim(tmp_path), name, [[decoded(document(1))], [decoded(document(2))]])

    _write(claim(tmp_path), name, [[decoded(document(2, name="renamed"))]])

    assert ["renamed"] == READERS[name](tmp_path, "collections")["name"].to_pylist()
    assert [2, 2] == READERS[name](tmp_path, "evaluations")["collection_id"].to_pylist()


@every_sink
def test_its_parts_are_what_is_on_the_disk(name: str, tmp_path: Path, document: MakeDocument, decoded: Decode) -> None:
    """Each part tells the size and the sum of its file, and together they tell the rows."""
    parts = _write(claim(tmp_path), name, [[decoded(document(1))]])

    on_disk = {part.path: (tmp_path / part.path).read_bytes() for part in parts}
    assert [(len(d), hashlib.sha256(d).hexdigest()) for d in on_disk.values()] == [
        (part.bytes, part.sha256) for part in parts
    ]
    assert 1 + 1 + 1 + 2 == sum(part.rows for part in parts)


@every_sink
def test_a_run_that_does_not_commit_leaves_the_earlier_one(
    name: str, tmp_path: Path, document: MakeDocument, decoded: Decode
) -> None:
    """What a sink wrote without a commit is gone after a sweep."""
    _write(claim(tmp_path), name, [[decoded(document(1))]])
    interrupted = claim(tmp_path)
    list(SINKS[name].open(interrupted.put).write(Batch(1, [], tables_of([decoded(document(2))]))))

    interrupted.sweep()

    assert [1] == READERS[name](tmp_path, "collections")["collection_id"].to_pylist()


@every_sink
def test_a_full_disk_ends_a_write(name: str, document: MakeDocument, decoded: Decode) -> None:
    """A sink passes on what the store says."""

    def full(*_: object, **__: object) -> Part:
        raise ExportError("the disk is full")

    sink = SINKS[name].open(full)

    with pytest.raises(ExportError, match=r"^the disk is full$"):
        list(sink.write(Batch(1, [], tables_of([decoded(document(1))]))))


@every_sink
def test_a_missing_package_is_named_with_its_extra(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text has the command that brings what is missing."""
    for package in SINKS[name].needs:
        monkeypatch.setitem(__import__("sys").modules, package, None)

    with pytest.raises(ExportError) as caught:
        SINKS[name].require()

    needs, extra = " and ".join(SINKS[name].needs), SINKS[name].extra
    command = f'pip install "aegis-async[{extra}]"'
    assert f"this export needs {needs}, which is not installed: {command}" == str(caught.value)


def test_parquet_names_its_schema(tmp_path: Path) -> None:
    """A Parquet file carries the version of the schema, and is compressed with zstd."""
    parts = _write(claim(tmp_path), "parquet", [])

    file = pq.ParquetFile(tmp_path / parts[0].path)
    assert b"1" == file.schema_arrow.metadata[b"aegis_async.schema_version"]


def test_parquet_is_compressed_with_zstd(tmp_path: Path, document: MakeDocument, decoded: Decode) -> None:
    """Every column of a part is compressed."""
    _write(claim(tmp_path), "parquet", [[decoded(document(1))]])

    group = pq.ParquetFile(tmp_path / "runs" / "000001-0001.parquet").metadata.row_group(0)
    assert {"ZSTD"} == {group.column(n).compression for n in range(group.num_columns)}


def test_a_part_is_plain_json_in_a_commit() -> None:
    """A part survives the way through JSON."""
    part = Part("runs/000001-0001.parquet", 1, 2, "ab")

    assert part == msgspec.json.decode(msgspec.json.encode(part), type=Part)
