"""Claims about an export through a real proxy: nothing lost while its upstream restarts, and few requests refused."""

import asyncio
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from aegis_async import AegisClient, Hooks, RequestEvent, RetryPolicy
from aegis_async.export import Progress, export
from aegis_async.sandbox import Sandbox
from tests.nginx.conftest import Nginx, Ports

pytestmark = pytest.mark.service

COLLECTIONS = 500
REFUSALS = frozenset({429, 503})
FINDING = 100  # requests in which the limit is found: four looks while it doubles, and as much for the cuts after it


class Restart:
    """An upstream that is stopped in the middle, and comes back when the client has been told so."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._middle = asyncio.Event()
        self._noticed = asyncio.Event()

    def on_progress(self, progress: Progress) -> None:
        """Hear how far the export is."""
        if progress.done >= COLLECTIONS // 2:
            self._middle.set()

    def on_retry(self, event: RequestEvent) -> None:
        """Hear what the client tries again."""
        if event.status == 502:
            self._noticed.set()

    async def run(self, ended: asyncio.Event) -> None:
        """Serve, stop, and serve again, until ``ended``."""
        async with Sandbox(collections=COLLECTIONS, port=self._port):
            await self._middle.wait()
        await self._noticed.wait()
        async with Sandbox(collections=COLLECTIONS, port=self._port):
            await ended.wait()


@pytest.mark.parametrize("nginx", [(60, 2), (60, 10)], ids=["burst of 2", "burst of 10"], indirect=True)
async def test_an_export_through_nginx_loses_nothing(nginx: Nginx, ports: Ports, tmp_path: Path) -> None:
    """Although the upstream restarts all arrive, and after the first hundred requests under 5 % are refused."""
    restart, ended = Restart(ports.upstream), asyncio.Event()
    upstream = asyncio.create_task(restart.run(ended))

    async with AegisClient(
        Sandbox().api_key,
        base_url=nginx.url,
        max_concurrency="auto",
        retry=RetryPolicy(max_attempts=8),  # a restart takes longer than the waits of four
        hooks=Hooks(on_retry=restart.on_retry),
    ) as client:
        report = await export(client, tmp_path / "out", concurrency=64, progress=restart.on_progress)
    ended.set()
    await upstream

    log = nginx.log()
    later = sorted(log, key=lambda entry: entry.begun)[FINDING:]
    refused = sum(entry.status in REFUSALS for entry in later)
    ids = pq.read_table(tmp_path / "out" / "collections").column("id").to_pylist()
    assert ("complete", list(range(1, COLLECTIONS + 1))) == (report.status, sorted(ids))
    assert 502 in {entry.status for entry in log}
    assert any(entry.compressed for entry in log)
    assert refused < 0.05 * len(later), f"{refused} of {len(later)} refused, of {len(log)} in all"
