"""Signals while the disk is slow: what is fetched is committed, and a disk that never answers holds nobody up."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aegis_async import AegisClient
from aegis_async.export import export, read_report
from aegis_async.sandbox import Sandbox
from tests.export.folders import ids, named, parts, rows

SLOW_DISK = Path(__file__).with_name("slow_disk.py")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
every_signal = pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])


def signalled(sandbox: Sandbox, out: Path, mode: str, number: int) -> tuple[int, str]:
    """Run an export, send a signal once the disk holds a part up, and give how it ended and what it said."""
    command: list[Any] = [sys.executable, SLOW_DISK, mode, "export", out, "--concurrency", "1", "--batch-bytes", "1"]
    environment = {**os.environ, **sandbox.env, "PYTHONPATH": str(SLOW_DISK.parents[2])}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        assert process.stderr is not None
        next(line for line in process.stderr if "the disk holds a part up" in line)
        process.send_signal(number)
        said = process.stderr.read()
    return process.returncode, said


@pytest.fixture
def server() -> Iterator[Sandbox]:
    """An account in a thread, since the tests wait for processes."""
    with Sandbox(collections=6) as running:
        yield running


@every_signal
def test_what_is_fetched_is_committed_when_the_disk_goes_on(
    number: int, status: int, server: Sandbox, tmp_path: Path
) -> None:
    """The part that was held up is written to its end, and what waited behind it too."""
    ended = signalled(server, tmp_path, "until-signal", number)

    report = read_report(tmp_path)
    assert status == ended[0]
    assert ("interrupted", report.rows) == (report.status, rows(tmp_path))
    assert 1 <= len(ids(tmp_path)) < 6
    assert named(tmp_path) == parts(tmp_path)
    assert "every file there is whole" in ended[1]


@every_signal
async def test_a_disk_that_never_answers_ends_it_all_the_same(
    number: int, status: int, server: Sandbox, tmp_path: Path
) -> None:
    """When nothing could be committed in time it ends with the signal's status, and a rerun has everything."""
    ended = await asyncio.to_thread(signalled, server, tmp_path, "for-ever", number)

    async with AegisClient(server.api_key, base_url=server.url) as client:
        report = await export(client, tmp_path)
    assert status == ended[0]
    assert "not done 10 s after the signal, so it ends; what was committed before is whole" in ended[1]
    assert ("complete", 6) == (report.status, report.rows["collections"])
    assert named(tmp_path) == parts(tmp_path)
