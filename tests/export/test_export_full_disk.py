"""A disk that is really full: one sentence, nothing damaged, and with room again the export goes on."""

import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from aegis_async import AegisClient
from aegis_async.errors import ExportError
from aegis_async.export import TABLES, export, verify
from aegis_async.sandbox import Sandbox
from tests.export.places import READERS

COLLECTIONS = 20


@pytest.fixture
async def client() -> AsyncIterator[AegisClient]:
    async with (
        Sandbox(collections=COLLECTIONS) as sandbox,
        AegisClient(sandbox.api_key, base_url=sandbox.url) as client,
    ):
        yield client


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of half a megabyte; a test that cannot mount one is skipped."""
    mount, place = shutil.which("mount"), tmp_path / "small"
    place.mkdir()
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)]
    if mount is None or subprocess.run(command, check=False, capture_output=True).returncode:  # noqa: S603 - ours
        pytest.skip("mounting a small tmpfs needs root")
    yield place
    subprocess.run(["umount", str(place)], check=True)  # noqa: S603, S607 - what was mounted above


def enlarge(place: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=200m", str(place)], check=True)  # noqa: S603, S607 - as above


@pytest.mark.parametrize("name", ["parquet", "sqlite", "duckdb", "delta"])
async def test_a_full_disk_damages_nothing(
    client: AegisClient, small_disk: Path, request: pytest.FixtureRequest, name: str
) -> None:
    """It is told in one line; with room again the same command ends with everything, and all of it is sound."""
    place = READERS[name](small_disk / "out", request)

    with pytest.raises(ExportError) as caught:
        await export(client, place.out, format=name, batch_bytes=20_000)
    enlarge(small_disk)
    report = await export(client, place.out, format=name, batch_bytes=20_000)

    assert "\n" not in str(caught.value)
    assert str(small_disk) in str(caught.value)
    assert ("complete", COLLECTIONS) == (report.status, report.rows["collections"])
    assert dict(report.rows) == {table.name: place.read(table.name).num_rows for table in TABLES}
    assert [] == verify(place.out)
