"""The same account, exported on one machine and on Ray, whatever happens to workers."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from aegis_async import AegisClient, RetryPolicy
from aegis_async.errors import AuthenticationError, ExportError
from aegis_async.export import ExportReport, Progress, export, read_report, verify
from aegis_async.sandbox import Sandbox
from tests.ray.accounts import content, fetches, strays
from tests.ray.conftest import COLLECTIONS
from tests.ray.processes import kill_a_worker, workers

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("cluster")]

LONG = pytest.mark.long
HANDS = 2  # partitions that a worker has at a time; with batch_bytes=1 each is one collection


async def exported(sandbox: Sandbox, out: Path, **options: object) -> ExportReport:
    async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
        return await export(client, out, **options)  # type: ignore[arg-type]  # as each test says


def at(done: int, act: Callable[[], object]) -> Callable[[Progress], None]:
    """Act once, when so many collections are done."""
    waiting = [act]

    def told(progress: Progress) -> None:
        if progress.done >= done and waiting:
            waiting.pop()()

    return told


@pytest.mark.parametrize("count", [pytest.param(1, marks=LONG), 2, pytest.param(4, marks=LONG)])
async def test_ray_gives_the_same_tables_as_one_machine(count: int, sandbox: Sandbox, tmp_path: Path) -> None:
    """However many workers there are, sorted tables are equal byte by byte, and each collection is asked for once."""
    await exported(sandbox, tmp_path / "local")
    sandbox.clear_requests()

    report = await exported(sandbox, tmp_path / "ray", engine="ray", workers=count)

    assert ("complete", COLLECTIONS) == (report.status, report.fetched)
    assert COLLECTIONS == fetches(sandbox)
    assert content(tmp_path / "local") == content(tmp_path / "ray")
    assert [] == verify(tmp_path / "ray")
    assert set() == strays(tmp_path / "ray")


async def test_a_killed_worker_loses_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    """Another one takes its place; only what it had in hand is asked for again, and nothing of it is left behind."""
    await exported(sandbox, tmp_path / "local")
    sandbox.clear_requests()

    report = await exported(
        sandbox, tmp_path / "ray", engine="ray", workers=2, batch_bytes=1, progress=at(10, kill_a_worker)
    )

    assert "complete" == report.status
    assert COLLECTIONS <= fetches(sandbox) <= COLLECTIONS + HANDS
    assert content(tmp_path / "local") == content(tmp_path / "ray")
    assert [] == verify(tmp_path / "ray")
    assert set() == strays(tmp_path / "ray")


async def test_an_export_goes_on_with_the_other_engine(sandbox: Sandbox, tmp_path: Path) -> None:
    """Begun on one and ended by a cancellation, it is gone on with on the other, which fetches what is lacking."""
    begun = asyncio.Event()
    work = asyncio.create_task(
        exported(sandbox, tmp_path, engine="ray", workers=2, batch_bytes=1, progress=at(10, begun.set))
    )
    await begun.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert "interrupted" == read_report(tmp_path).status
    kept = read_report(tmp_path).fetched

    report = await exported(sandbox, tmp_path)

    assert 10 <= kept < COLLECTIONS
    assert ("complete", COLLECTIONS - kept, kept) == (report.status, report.fetched, report.unchanged)
    assert [] == verify(tmp_path)
    assert set() == strays(tmp_path)


async def test_increments_fetch_what_has_changed(sandbox: Sandbox, tmp_path: Path) -> None:
    """What one machine has exported, Ray takes up: it fetches what is new or changed, and drops what is gone."""
    await exported(sandbox, tmp_path / "out")
    sandbox.add()
    sandbox.change(5)
    sandbox.delete(7)

    report = await exported(sandbox, tmp_path / "out", engine="ray", workers=2, deleted="drop")
    await exported(sandbox, tmp_path / "local")

    assert "complete" == report.status
    assert (7,) == report.deleted
    assert 2 <= report.fetched < COLLECTIONS / 2  # those with a run under way may change unseen
    assert content(tmp_path / "local") == content(tmp_path / "out")
    assert [] == verify(tmp_path / "out")


async def test_what_cannot_be_had_is_listed(sandbox: Sandbox, tmp_path: Path) -> None:
    """A collection that fails, one that does not decode and one that is large end as on one machine."""
    sandbox.fail("/data-collections/3", status=404, times=None)
    sandbox.fail("/data-collections/4", body=b'{"id": 4}', times=None)

    report = await exported(sandbox, tmp_path, engine="ray", workers=2, stream_above=50_000)

    assert "partial" == report.status
    assert [3] == [one.id for one in report.missing]
    assert [4] == [one.id for one in report.quarantined]
    assert b'{"id": 4}' == (tmp_path / report.quarantined[0].file).read_bytes()
    assert COLLECTIONS - 2 == report.fetched
    assert [] == verify(tmp_path)[1:]  # fewer are held than were listed, which is so


async def test_a_refused_key_ends_it_and_keeps_what_is_there(sandbox: Sandbox, tmp_path: Path) -> None:
    """A 401 in the middle is the export's error; what was fetched before is committed."""
    refuse = at(10, lambda: sandbox.fail("/data-collections/*", status=401, times=None))

    with pytest.raises(AuthenticationError):
        await exported(sandbox, tmp_path, engine="ray", workers=2, batch_bytes=1, progress=refuse)

    report = read_report(tmp_path)
    assert "failed" == report.status
    assert 10 <= report.fetched < COLLECTIONS
    assert set() == strays(tmp_path)


@pytest.mark.long
async def test_an_outage_burns_no_id(sandbox: Sandbox, tmp_path: Path) -> None:
    """Workers wait for a service that does not answer, and each collection is there at the end."""
    fail = at(10, lambda: sandbox.fail(status=503, times=8))

    async with AegisClient(sandbox.api_key, base_url=sandbox.url, retry=RetryPolicy(max_attempts=1)) as client:
        report = await export(client, tmp_path, engine="ray", workers=2, batch_bytes=1, progress=fail)

    assert "complete" == report.status
    assert COLLECTIONS == report.fetched


async def test_an_outage_that_lasts_ends_it(sandbox: Sandbox, tmp_path: Path) -> None:
    """After max_outage seconds the export ends with a sentence, and what was fetched is kept."""
    fail = at(10, lambda: sandbox.fail(status=503, times=None))
    once = RetryPolicy(max_attempts=1)

    async with AegisClient(sandbox.api_key, base_url=sandbox.url, retry=once) as client:
        with pytest.raises(ExportError, match="the service has not answered for 1 s"):
            await export(client, tmp_path, engine="ray", workers=2, batch_bytes=1, max_outage=1.0, progress=fail)

    assert read_report(tmp_path).fetched >= 10


async def test_the_clients_stats_count_what_workers_did(sandbox: Sandbox, tmp_path: Path) -> None:
    """Attempts, retries and bytes of the workers are the client's own, as for the progress that shows retries."""
    sandbox.fail("/data-collections/5", status=503)

    async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
        await export(client, tmp_path, engine="ray", workers=2)
        stats = client.stats()

    assert len(sandbox.requests) == stats.attempts
    assert 1 == stats.retries


async def test_a_worker_that_stops_answering_is_replaced(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that hangs is taken for dead, and its work given to another."""
    from aegis_async.export._ray import _crew  # noqa: PLC0415 - an extra

    monkeypatch.setattr(_crew, "_BEAT", 0.2)
    monkeypatch.setattr(_crew, "_SILENCE", 2.0)
    stopped: list[int] = []

    def stop_one() -> None:
        stopped.append(workers()[0])
        os.kill(stopped[0], signal.SIGSTOP)

    try:
        report = await exported(sandbox, tmp_path, engine="ray", workers=2, batch_bytes=1, progress=at(10, stop_one))
    finally:
        for pid in stopped:
            if pid in workers():
                os.kill(pid, signal.SIGKILL)

    assert ("complete", COLLECTIONS) == (report.status, report.fetched)
    assert [] == verify(tmp_path)
