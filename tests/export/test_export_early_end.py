"""Exports that end early, by a refused key, a cancellation or a full disk: what is left is whole."""

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aegis_async import AegisClient
from aegis_async.errors import AuthenticationError, ExportError, OrganizationRequiredError
from aegis_async.export import ExportReport, export, read_report
from aegis_async.export._folder import claim
from aegis_async.export._store import LocalStore
from aegis_async.sandbox import Sandbox
from tests.export.folders import Held, files, ids, left_behind, named, parts, rows, state


async def test_a_refused_key_leaves_no_files(sandbox: Sandbox, tmp_path: Path) -> None:
    """With nothing fetched there is a report and no part; the folder can be used again."""
    async with AegisClient("sk_" + "0" * 32, base_url=sandbox.url) as stranger:
        with pytest.raises(AuthenticationError):
            await export(stranger, tmp_path)

    report = read_report(tmp_path)
    assert set() == files(tmp_path)
    assert ("failed", None) == (report.status, report.commit)
    assert "401" in (report.reason or "")


async def test_a_key_refused_half_way_keeps_what_was_fetched(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    """In a new folder, what came before the 401 is committed, as whole files, and the error goes on."""
    sandbox.fail("/data-collections/5", status=401)

    with pytest.raises(AuthenticationError):
        await export(client, tmp_path, concurrency=1)

    report = read_report(tmp_path)
    assert [1, 2, 3, 4] == ids(tmp_path)
    assert ("failed", 1, 4) == (report.status, report.commit, report.rows["collections"])
    assert named(tmp_path) == parts(tmp_path)


async def test_a_key_refused_half_way_keeps_the_rows_of_the_earlier_export(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    """A rerun that fails has replaced what it fetched and left the rest as it was: each collection is there once."""
    before = await export(client, tmp_path)
    sandbox.fail("/data-collections/5", status=401)

    with pytest.raises(AuthenticationError):
        await export(client, tmp_path, full=True, concurrency=1, batch_bytes=1)

    report = read_report(tmp_path)
    assert before.rows == rows(tmp_path) == report.rows
    assert named(tmp_path) == parts(tmp_path)
    assert ("failed", 4) == (report.status, report.fetched)


async def test_an_account_without_an_organization_has_nothing_shared(sandbox: Sandbox, tmp_path: Path) -> None:
    """A listing that is refused ends the export with its own error."""
    async with AegisClient(sandbox.solo_api_key, base_url=sandbox.url) as client:
        with pytest.raises(OrganizationRequiredError):
            await export(client, tmp_path, shared=True)

    assert "failed" == read_report(tmp_path).status


async def _cancelled(exporting: "asyncio.Task[ExportReport]", reached: asyncio.Event) -> None:
    await reached.wait()
    exporting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await exporting


async def test_an_interruption_commits_what_was_fetched(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """A first export that is cancelled leaves whole files, no task, and a report that says so."""
    sandbox.fail("/data-collections/4", delay=float("inf"), times=None)
    held = Held(3)

    await _cancelled(asyncio.create_task(export(client, tmp_path, concurrency=1, progress=held)), held.reached)

    report = read_report(tmp_path)
    assert [1, 2, 3] == ids(tmp_path)
    assert ("interrupted", 1) == (report.status, report.commit)
    assert "interrupted; what was fetched until then is kept" == report.reason
    assert named(tmp_path) == parts(tmp_path)
    assert [] == left_behind()


async def test_an_interruption_keeps_the_rows_of_the_earlier_export(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    """A rerun that is cancelled leaves each collection there once."""
    before = await export(client, tmp_path)
    sandbox.fail("/data-collections/4", delay=float("inf"), times=None)
    held = Held(3)

    await _cancelled(
        asyncio.create_task(export(client, tmp_path, full=True, concurrency=1, batch_bytes=1, progress=held)),
        held.reached,
    )

    assert before.rows == rows(tmp_path)
    assert ("interrupted", 3) == (read_report(tmp_path).status, read_report(tmp_path).fetched)


async def test_a_full_export_that_was_interrupted_fetches_only_the_rest(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    """``full`` means once for each collection: what its own pass has committed is not fetched by the next run."""
    await export(client, tmp_path)
    sandbox.fail("/data-collections/4", delay=float("inf"), times=None)
    held = Held(3)
    full = asyncio.create_task(export(client, tmp_path, full=True, concurrency=1, progress=held))
    await _cancelled(full, held.reached)
    sandbox.clear_faults()
    sandbox.clear_requests()

    report = await export(client, tmp_path, full=True)

    asked = [request.path.rpartition("/")[2] for request in sandbox.requests]
    assert ["4", "5", "6"] == sorted(filter(str.isdigit, asked))
    assert ("complete", 3, 3) == (report.status, report.fetched, report.unchanged)


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> Callable[..., asyncio.Event]:
    """Give a way to stop at a call of the store until the task is cancelled: its thread waits for that."""

    def pause(method: str, calls_before: int = 0) -> asyncio.Event:
        loop, reached, put = asyncio.get_running_loop(), asyncio.Event(), getattr(LocalStore, method)
        passed = iter(range(calls_before))

        def waiting(store: LocalStore, path: str, data: Any) -> Any:
            if next(passed, None) is not None:
                return put(store, path, data)
            task_cancelled = asyncio.run_coroutine_threadsafe(_after_cancel(reached), loop)
            task_cancelled.result()
            return put(store, path, data)

        monkeypatch.setattr(LocalStore, method, waiting)
        return reached

    async def _after_cancel(reached: asyncio.Event) -> None:
        reached.set()
        for _ in range(3):  # the turns in which a cancellation arrives
            await asyncio.sleep(0)

    return pause


async def test_an_interruption_while_a_batch_is_written_waits_for_its_end(
    client: AegisClient, paused: Callable[..., asyncio.Event], tmp_path: Path
) -> None:
    """A thread in the middle of a file is not left behind, and its file is whole."""
    reached = paused("put")

    await _cancelled(asyncio.create_task(export(client, tmp_path, concurrency=1, batch_bytes=1)), reached)

    assert "interrupted" == read_report(tmp_path).status
    assert read_report(tmp_path).rows == rows(tmp_path)
    assert named(tmp_path) == parts(tmp_path)


async def test_an_interruption_after_the_last_collection_keeps_a_complete_export(
    client: AegisClient, paused: Callable[..., asyncio.Event], tmp_path: Path
) -> None:
    """Cancelled in the middle of its last commit, an export holds everything; the cancellation goes on."""
    reached = paused("put_if_absent", calls_before=1)

    await _cancelled(asyncio.create_task(export(client, tmp_path)), reached)

    assert state(tmp_path).current.finished
    assert [1, 2, 3, 4, 5, 6] == ids(tmp_path)


@pytest.fixture
def full_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Give a way to let the disk fill up after some files."""

    def arrange(count: int) -> None:
        flush, left = os.fsync, iter(range(2 * count))

        def fsync(descriptor: int) -> None:
            if next(left, None) is None:
                raise OSError(errno.ENOSPC, "No space left on device")
            flush(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)

    return arrange


@pytest.mark.parametrize("files_before", [0, 1, 3, 5, 6, 7])
@pytest.mark.parametrize("batch_bytes", [1, 16 << 20])
async def test_a_full_disk_is_one_sentence_and_damages_nothing(
    client: AegisClient, full_after: Callable[[int], None], tmp_path: Path, files_before: int, batch_bytes: int
) -> None:
    """Wherever the disk fills up, what was committed is whole, and nothing else is left after the next start."""
    before = await export(client, tmp_path, ids=[1, 2])
    full_after(files_before)

    with pytest.raises(ExportError, match=r"the disk is full; make room and run the export again$"):
        await export(client, tmp_path, ids=[1, 2], batch_bytes=batch_bytes)

    claim(tmp_path).lock.release()
    assert named(tmp_path) == parts(tmp_path)
    assert before.rows == rows(tmp_path)


async def test_a_full_disk_leaves_a_new_folder_that_can_be_taken_up(
    client: AegisClient, full_after: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With room again the same command ends with everything."""
    with monkeypatch.context():
        full_after(2)
        with pytest.raises(ExportError, match="the disk is full"):
            await export(client, tmp_path, batch_bytes=1)
    monkeypatch.undo()

    report = await export(client, tmp_path)

    assert "complete" == report.status
    assert report.rows == rows(tmp_path)


async def test_a_retired_part_that_cannot_be_removed_is_an_error(
    client: AegisClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A glob that would give rows twice is not called a success."""
    await export(client, tmp_path)

    def refuse(self: Path, *, missing_ok: bool = False) -> None:
        if self.name.startswith("000001"):
            raise PermissionError(errno.EACCES, "Permission denied")
        unlink(self, missing_ok=missing_ok)

    unlink = Path.unlink
    monkeypatch.setattr(Path, "unlink", refuse)

    with pytest.raises(ExportError, match=r"permission denied$"):
        await export(client, tmp_path, full=True)

    assert "failed" == read_report(tmp_path).status
