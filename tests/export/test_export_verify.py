"""An export is checked against its commits, and every kind of damage is found."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import duckdb
import msgspec
import pyarrow.parquet as pq
import pytest

from aegis_async import AegisClient
from aegis_async.errors import ExportError
from aegis_async.export import compare, export, verify
from aegis_async.export._commits import Commit
from aegis_async.export._folder import claim
from aegis_async.sandbox import Sandbox

FORMATS = ("parquet", "ndjson", "csv", "arrow", "sqlite", "duckdb")


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(collections=5) as server:
        yield server


def parquet(out: Path, table: str) -> Path:
    return max((out / table).glob("*.parquet"), key=lambda file: file.stat().st_size)


def recommit(out: Path, change: Callable[[Commit], Commit]) -> None:
    """Change the first commit as nobody but a test does."""
    file = out / "_commits" / "000001.json"
    file.write_bytes(msgspec.json.encode(change(msgspec.json.decode(file.read_bytes(), type=Commit))))


def rewrite(out: Path, table: str, sql: str) -> None:
    """Change the rows of a part, and its commit with it, so that only the rows' meaning is at fault."""
    file = parquet(out, table)
    rows = pq.read_table(file)
    with duckdb.connect() as connection:
        connection.register("rows", rows)
        changed = connection.sql(sql).to_arrow_table().cast(rows.schema)
    folder = claim(out)
    name = file.name.partition(".")[0]
    pq.write_table(changed, file)
    part = folder.shelf.put(table, name, "parquet", file.read_bytes(), rows=changed.num_rows)
    folder.lock.release()

    def change(commit: Commit) -> Commit:
        (chunk,) = commit.added
        parts = tuple(part if one.path == part.path else one for one in chunk.parts)
        return msgspec.structs.replace(commit, added=(msgspec.structs.replace(chunk, parts=parts),))

    recommit(out, change)


async def test_a_sound_export_has_no_fault(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """In every format, also after replacements, burials and what was set aside."""
    await export(client, tmp_path, format=FORMATS, batch_bytes=1)
    sandbox.change(1)
    sandbox.delete(2)
    sandbox.fail("/data-collections/3", body=b"{}")
    await export(client, tmp_path, format=FORMATS, full=True)

    assert [] == verify(tmp_path)


async def test_a_missing_part_is_found(client: AegisClient, tmp_path: Path) -> None:
    """A file that somebody removed is named."""
    await export(client, tmp_path)
    parquet(tmp_path, "runs").unlink()

    (fault,) = verify(tmp_path)

    assert fault.endswith("runs/000001-0001.parquet: No such file or directory")


async def test_changed_bytes_are_found(client: AegisClient, tmp_path: Path) -> None:
    """A file of the right size with one bit turned is named."""
    await export(client, tmp_path)
    file = parquet(tmp_path, "runs")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)

    assert ["runs/000001-0001.parquet: its bytes are not those that were written: another sha256"] == verify(tmp_path)


async def test_a_cut_file_is_found(client: AegisClient, tmp_path: Path) -> None:
    """The size alone gives it away."""
    await export(client, tmp_path)
    file = parquet(tmp_path, "runs")
    file.write_bytes(file.read_bytes()[:-7])

    (fault,) = verify(tmp_path)

    assert fault.startswith("runs/000001-0001.parquet: has ")


async def test_every_damaged_part_is_found(client: AegisClient, tmp_path: Path) -> None:
    """One part that cannot be read hides no other, and rows that refer to it are not called wrong."""
    await export(client, tmp_path)
    for table in ("datasets", "runs", "evaluations"):
        parquet(tmp_path, table).write_bytes(b"")

    assert ["datasets", "runs", "evaluations"] == [fault.partition("/")[0] for fault in verify(tmp_path)]


async def test_a_stray_part_is_found(client: AegisClient, tmp_path: Path) -> None:
    """What a glob would read and no commit names is named."""
    await export(client, tmp_path)
    (tmp_path / "runs" / "000009-0001.parquet").write_bytes(parquet(tmp_path, "runs").read_bytes())

    assert ["runs/000009-0001.parquet: no commit names it; the next export removes it"] == verify(tmp_path)


@pytest.mark.parametrize(
    ("table", "sql", "fault"),
    [
        ("runs", "SELECT * FROM rows UNION ALL (SELECT * FROM rows LIMIT 1)", "runs has a key twice: (1, "),
        ("runs", "SELECT * FROM rows OFFSET 1", "evaluations have no run: (1, "),
        ("collections", "SELECT * FROM rows WHERE id <> 2", "collections has not the rows of these collections: 2"),
        (
            "datasets",
            "SELECT * REPLACE (77 AS collection_id) FROM rows",
            "datasets has rows of collections that its commit does not name: 77",
        ),
    ],
)
async def test_rows_at_fault_are_found(client: AegisClient, tmp_path: Path, table: str, sql: str, fault: str) -> None:
    """Keys that come twice, evaluations without a run, collections that are missing or nobody's."""
    await export(client, tmp_path)

    rewrite(tmp_path, table, sql)

    found = verify(tmp_path)
    assert any(one.startswith(f"000001-0001 (parquet): {fault}") for one in found), found


async def test_a_wrong_count_is_found(client: AegisClient, tmp_path: Path) -> None:
    """A commit that says another number of rows is named."""
    await export(client, tmp_path)

    def change(commit: Commit) -> Commit:
        (chunk,) = commit.added
        parts = tuple(msgspec.structs.replace(part, rows=part.rows + 1) for part in chunk.parts)
        return msgspec.structs.replace(commit, added=(msgspec.structs.replace(chunk, parts=parts),))

    recommit(tmp_path, change)

    assert 5 == sum(" rows, and its commit says " in fault for fault in verify(tmp_path))


async def test_fewer_collections_than_listed_are_found(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """What could not be fetched makes the export less than its listing."""
    sandbox.fail("/data-collections/3", status=404, times=None)
    await export(client, tmp_path)

    assert ["the last listing had 5 collections, and 4 are held"] == verify(tmp_path)


@pytest.mark.parametrize("name", ["sqlite", "duckdb"])
async def test_faults_of_a_database_are_found(client: AegisClient, tmp_path: Path, name: str) -> None:
    """The same questions are asked of a database file."""
    await export(client, tmp_path, format=name)
    change = "DELETE FROM runs WHERE collection_id = 1"
    if name == "sqlite":
        with closing(sqlite3.connect(tmp_path / "export.sqlite")) as lite, lite:
            lite.execute(change)
    else:
        with duckdb.connect(tmp_path / "export.duckdb") as duck:
            duck.execute(change)

    (fault,) = verify(tmp_path)

    assert fault.startswith(f"export.{name}: ")
    assert fault.endswith(" rows of evaluations have no run")


async def test_a_damaged_database_is_one_sentence(client: AegisClient, tmp_path: Path) -> None:
    """A file that is no database is a fault, not a traceback."""
    await export(client, tmp_path, format=["sqlite", "duckdb"])
    for name in ("export.sqlite", "export.duckdb"):
        (tmp_path / name).write_bytes(b"no database " * 1000)

    faults = verify(tmp_path)

    assert ["export.sqlite", "export.duckdb"] == [fault.partition(":")[0] for fault in faults]


def test_what_is_no_export_is_refused(tmp_path: Path) -> None:
    """A folder without commits is not called sound."""
    with pytest.raises(ExportError, match=r"is no export: it has no _commits$"):
        verify(tmp_path)


async def test_an_export_is_compared_with_the_service(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """What came, changed and went since is told, by listing requests alone."""
    await export(client, tmp_path)
    same = await compare(client, tmp_path)
    sandbox.change(1)
    sandbox.delete(2)
    sandbox.add()
    sandbox.clear_requests()

    found = await compare(client, tmp_path)

    assert [] == same
    assert [
        "collection 1 has changed since it was fetched",
        "collection 6 is listed, and not held",
        "collection 2 is held, and no longer listed",
    ] == found
    assert 1 == len(sandbox.requests)
