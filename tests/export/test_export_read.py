"""An export is read back as tables, as its commits say."""

from asyncio import to_thread
from collections.abc import AsyncIterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from aegis_async import AegisClient
from aegis_async.errors import ExportError, InvalidArgumentError
from aegis_async.export import TABLES, Progress, export, read, verify
from aegis_async.export._arrow import TABLE_SCHEMAS
from aegis_async.sandbox import Sandbox
from tests.export.folders import files


@pytest.fixture
async def client() -> AsyncIterator[AegisClient]:
    async with Sandbox(collections=5) as sandbox, AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
        yield client


@pytest.mark.parametrize("format_", ["parquet", "ndjson", "csv", "arrow"])
async def test_every_format_gives_the_same_tables(client: AegisClient, tmp_path: Path, format_: str) -> None:
    """All rows are there in the schema of the export, whatever they were kept in."""
    report = await export(client, tmp_path, format=format_, batch_bytes=1)

    tables = read(tmp_path)

    assert [table.name for table in TABLES] == list(tables)
    assert dict(report.rows) == {name: table.num_rows for name, table in tables.items()}
    assert dict(TABLE_SCHEMAS) == {name: table.schema for name, table in tables.items()}


async def test_a_format_of_a_later_version_is_told_and_left_alone(client: AegisClient, tmp_path: Path) -> None:
    """Who cannot keep a format up, nor look into it, says its name, and changes nothing."""
    await export(client, tmp_path)
    for commit in (tmp_path / "_commits").glob("*.json"):
        commit.write_text(commit.read_text().replace('"parquet"', '"clay"'))
    before = {path: (tmp_path / path).read_bytes() for path in files(tmp_path)}

    for use in (export(client, tmp_path), to_thread(read, tmp_path), to_thread(verify, tmp_path)):
        with pytest.raises(ExportError, match=r"^the export holds clay, which aegis_async \S+ does not know: use the "):
            await use

    assert before == {path: (tmp_path / path).read_bytes() for path in files(tmp_path)}


async def test_only_what_is_committed_is_read(client: AegisClient, tmp_path: Path) -> None:
    """A part of a run that died is not, though a glob would show it."""
    await export(client, tmp_path)
    (file,) = (tmp_path / "runs").glob("*.parquet")
    pq.write_table(pq.read_table(file), tmp_path / "runs" / "000009-0001.parquet")

    (table,) = read(tmp_path, "runs").values()

    assert pq.read_metadata(file).num_rows == table.num_rows


async def test_a_format_that_is_not_whole_yet_hides_no_rows(client: AegisClient, tmp_path: Path) -> None:
    """Interrupted while another format is added, an export gives each chunk in a format that has it."""
    whole = await export(client, tmp_path, format="ndjson", batch_bytes=1)
    await _interrupted(client, tmp_path)

    tables = read(tmp_path)

    assert list((tmp_path / "collections").glob("*.parquet"))
    assert dict(whole.rows) == {name: table.num_rows for name, table in tables.items()}


async def test_collections_that_no_file_has_yet_are_one_sentence(client: AegisClient, tmp_path: Path) -> None:
    """What only a database has is not left out silently."""
    await export(client, tmp_path, format="sqlite", batch_bytes=1)
    await _interrupted(client, tmp_path)

    with pytest.raises(ExportError, match=r"holds collections in no format of files yet; export into it again$"):
        read(tmp_path)


async def _interrupted(client: AegisClient, out: Path) -> None:
    """Add Parquet to an export, and stop after the first collections."""

    def stop(_: Progress) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        await export(client, out, concurrency=1, batch_bytes=1, progress=stop)


async def test_what_cannot_be_read_is_one_sentence(client: AegisClient, tmp_path: Path) -> None:
    """No export, tables in a database alone, a name that is none, and a damaged part."""
    await export(client, tmp_path / "sqlite", format="sqlite")
    await export(client, tmp_path / "parquet")
    for file in (tmp_path / "parquet" / "runs").iterdir():
        file.write_bytes(b"no parquet")

    with pytest.raises(ExportError, match="is no export"):
        read(tmp_path)
    with pytest.raises(ExportError, match="has no tables in files; ask its database"):
        read(tmp_path / "sqlite")
    with pytest.raises(InvalidArgumentError, match="^tables must be one of"):
        read(tmp_path / "parquet", "users")
    with pytest.raises(ExportError, match=r"^runs/000001-0001\.parquet cannot be read: "):
        read(tmp_path / "parquet")
