"""Whole runs against the sandbox: what arrives, what is missing, and what is left when it ends early."""

import asyncio
import errno
import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pytest

from aegis_async import AegisClient, Cache, RetryPolicy
from aegis_async._pagination import Listing
from aegis_async.errors import (
    AuthenticationError,
    ExportError,
    InvalidArgumentError,
    OrganizationRequiredError,
)
from aegis_async.export import ExportReport, ListingEvidence, Progress, export, next_steps, read_report
from aegis_async.export._commits import State, read_commits
from aegis_async.export._folder import claim
from aegis_async.export._store import LocalStore
from aegis_async.sandbox import Sandbox
from tests.export.restless import restless

TABLES = ("collections", "datasets", "runs", "evaluations")


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(collections=6) as server:
        yield server


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[AegisClient]:
    at_once = RetryPolicy(max_attempts=2, initial=0.0, maximum=0.0)
    async with AegisClient(sandbox.api_key, base_url=sandbox.url, retry=at_once) as client:
        yield client


def files(out: Path) -> set[str]:
    """Give what a reader can find, and what is unfinished."""
    paths = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    return paths - {"_commits/lock", "_report.json"}


def parts(out: Path) -> set[str]:
    return {path for path in files(out) if not path.startswith("_commits")}


def rows(out: Path) -> dict[str, int]:
    """Count with plain globs, as a reader does."""
    counts = {}
    for table in TABLES:
        (row,) = duckdb.execute(f"SELECT count(*) FROM '{out}/{table}/*.parquet'").fetchall()  # noqa: S608 - paths of ours
        counts[table] = row[0]
    return counts


def ids(out: Path) -> list[int]:
    found = duckdb.execute(f"SELECT id FROM '{out}/collections/*.parquet' ORDER BY id").fetchall()  # noqa: S608 - paths of ours
    return [id_ for (id_,) in found]


def raw_lines(out: Path) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for file in sorted((out / "raw").iterdir()):
        with pa.CompressedInputStream(pa.OSFile(str(file)), "zstd") as stream:
            lines += map(msgspec.json.decode, stream.read().splitlines())
    return lines


def state(out: Path) -> State:
    return State(read_commits(LocalStore(out)))


def named(out: Path) -> set[str]:
    """Give the parts that the commits name."""
    return {part.path for part in state(out).parts()}


def served(sandbox: Sandbox) -> Counter[str]:
    return Counter(request.path.rpartition("/data-collections")[2] for request in sandbox.requests)


async def test_everything_arrives(client: AegisClient, tmp_path: Path) -> None:
    """Each table holds what the collections hold, and each body is there once."""
    report = await export(client, tmp_path)

    fulls = [full async for full in client.data_collections.get_many(range(1, 7))]
    runs = [run for full in fulls for run in full.runs]
    expected = {
        "collections": 6,
        "datasets": len({(f.id, d.id) for f in fulls for d in f.datasets}),
        "runs": len(runs),
        "evaluations": sum(len(run.evaluations) for run in runs),
    }
    assert ("complete", None) == (report.status, report.reason)
    assert expected == rows(tmp_path) == report.rows
    assert {full.id for full in fulls} == {line["id"] for line in raw_lines(tmp_path)}
    assert 6 == len(raw_lines(tmp_path))


async def test_the_sum_of_a_raw_line_is_that_of_the_body(client: AegisClient, tmp_path: Path) -> None:
    """The bytes as they came can be told from any others."""
    await export(client, tmp_path, ids=[3])

    (line,) = raw_lines(tmp_path)
    body = await client.fetch("/data-collections/3", bytes)
    assert hashlib.sha256(body).hexdigest() == line["sha256"]
    assert msgspec.json.decode(body) == line["body"]


async def test_each_collection_is_requested_once(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """One listing, one request for each collection, and none beside."""
    await export(client, tmp_path)

    assert Counter({"": 1, **{f"/{n}": 1 for n in range(1, 7)}}) == served(sandbox)


async def test_the_report_is_what_the_file_says(client: AegisClient, tmp_path: Path) -> None:
    """`_report.json` has exactly the fields and values of what the call gives."""
    report = await export(client, tmp_path)

    said = msgspec.json.decode((tmp_path / "_report.json").read_bytes())
    assert [field.name for field in msgspec.structs.fields(ExportReport)] == list(said)
    assert report == read_report(tmp_path)


async def test_the_report_counts_the_files(client: AegisClient, tmp_path: Path) -> None:
    """Files and bytes are those of the commit, and those of the disk."""
    report = await export(client, tmp_path)

    held = list(state(tmp_path).parts())
    assert {part.path for part in held} == parts(tmp_path)
    assert (len(held), sum(part.bytes for part in held)) == (report.files, report.bytes)
    assert report.bytes == sum((tmp_path / path).stat().st_size for path in parts(tmp_path))


async def test_the_listing_tells_that_it_was_complete(client: AegisClient, tmp_path: Path) -> None:
    """What the pages said of their number is in the report."""
    report = await export(client, tmp_path)

    assert (
        ListingEvidence(
            pages=1,
            items=6,
            repeats=0,
            total_first=6,
            total_last=6,
            sweeps=1,
            evidence="snapshot",
            unreadable=0,
            complete=True,
            reason=report.listing.reason if report.listing else "",
        )
        == report.listing
    )


async def test_small_batches_give_the_same_rows_in_more_files(client: AegisClient, tmp_path: Path) -> None:
    """How large a batch is changes how many parts there are, and nothing else."""
    one = await export(client, tmp_path / "one")
    many = await export(client, tmp_path / "many", batch_bytes=1)

    assert one.rows == many.rows == rows(tmp_path / "many")
    assert 6 == len(list((tmp_path / "many" / "raw").iterdir()))
    assert 1 == len(list((tmp_path / "one" / "raw").iterdir()))


async def test_an_empty_account_gives_tables_that_can_be_asked(tmp_path: Path) -> None:
    """Without a collection every table is there, and the documented query gives no row."""
    async with (
        Sandbox(collections=0) as sandbox,
        AegisClient(sandbox.api_key, base_url=sandbox.url) as client,
    ):
        report = await export(client, tmp_path)

    assert ("complete", 4) == (report.status, report.files)
    assert dict.fromkeys(TABLES, 0) == rows(tmp_path)
    assert [] == duckdb.execute(next_steps(tmp_path)).fetchall()


async def test_only_the_ids_given_are_fetched(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """Given ids need no listing, and one that is given twice is fetched once."""
    seen: list[Progress] = []

    report = await export(client, tmp_path, ids=[5, 2, 5], progress=seen.append)

    assert [2, 5] == ids(tmp_path)
    assert Counter({"/2": 1, "/5": 1}) == served(sandbox)
    assert ("complete", None) == (report.status, report.listing)
    assert [2, 2] == [step.total for step in seen]


async def test_ids_may_come_from_an_iterator(client: AegisClient, tmp_path: Path) -> None:
    """What cannot tell its length is read before the first request."""
    seen: list[Progress] = []

    await export(client, tmp_path, ids=iter([5, 2]), progress=seen.append)

    assert [2, 5] == ids(tmp_path)
    assert [2, 2] == [step.total for step in seen]


async def test_shared_is_passed_on(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """The listing and each collection are asked for with the same filter."""
    await export(client, tmp_path, shared=True)

    assert [3, 6] == ids(tmp_path)
    assert ["true"] * 3 == [request.query.get("shared") for request in sandbox.requests]


async def test_progress_is_told_after_each_collection(client: AegisClient, tmp_path: Path) -> None:
    """The last word of the progress agrees with the report."""
    seen: list[Progress] = []

    report = await export(client, tmp_path, progress=seen.append)

    assert [1, 2, 3, 4, 5, 6] == [step.done for step in seen]
    assert Progress(6, 6, sum(report.rows.values()), report.fetched_bytes, 0) == seen[-1]


async def test_what_cannot_be_fetched_is_missing(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """A collection that is gone and one that always fails are named with their reasons; the rest is there."""
    sandbox.fail("/data-collections/2", status=404, times=None)
    sandbox.fail("/data-collections/4", status=500, times=None)
    seen: list[Progress] = []

    report = await export(client, tmp_path, progress=seen.append)

    reasons = {one.id: (one.error, one.reason) for one in report.missing}
    assert ("partial", "2 could not be fetched") == (report.status, report.reason)
    assert [1, 3, 5, 6] == ids(tmp_path)
    assert {2: "NotFoundError", 4: "ServerError"} == {id_: error for id_, (error, _) in reasons.items()}
    assert "/data-collections/4" in reasons[4][1]
    assert 2 == seen[-1].failed


async def test_what_fails_once_is_not_missing(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """A retry that succeeds leaves no trace in the report."""
    sandbox.fail("/data-collections/4", status=503)
    sandbox.fail("/data-collections/5", reset=True)
    sandbox.fail("/data-collections/6", cut_body=40)

    report = await export(client, tmp_path)

    assert ("complete", ()) == (report.status, report.missing)
    assert [1, 2, 3, 4, 5, 6] == ids(tmp_path)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>maintenance</html>", "the body is not JSON"),
        (b'{"id": 4, "name": "no runs"}', "missing required field"),
        (b"\xff\xfe", "JSON"),
    ],
)
async def test_what_cannot_be_decoded_is_in_quarantine(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path, body: bytes, reason: str
) -> None:
    """The body is kept byte for byte with the reason beside it, and the rest goes on."""
    sandbox.fail("/data-collections/4", body=body)

    report = await export(client, tmp_path)

    (kept,) = report.quarantined
    note = msgspec.json.decode((tmp_path / kept.file).with_suffix(".json").read_bytes())
    assert ("partial", "1 set aside in quarantine") == (report.status, report.reason)
    assert body == (tmp_path / kept.file).read_bytes()
    assert {"id": 4, "sha256": hashlib.sha256(body).hexdigest(), "reason": kept.reason} == note
    assert reason in kept.reason
    assert [1, 2, 3, 5, 6] == ids(tmp_path) == sorted(line["id"] for line in raw_lines(tmp_path))


async def test_an_id_that_does_not_fit_is_in_quarantine(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path, document: Callable[..., dict[str, Any]]
) -> None:
    """A number beyond 64 bits costs its own collection only."""
    sandbox.fail("/data-collections/4", body=msgspec.json.encode(document(4)).replace(b'"id":991', b'"id":%d' % 2**63))

    report = await export(client, tmp_path)

    (kept,) = report.quarantined
    assert 4 == kept.id
    assert kept.reason.startswith("runs.id holds a value that does not fit int64: ")
    assert [1, 2, 3, 5, 6] == ids(tmp_path)


async def test_the_body_of_another_collection_is_in_quarantine(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path, document: Callable[..., dict[str, Any]]
) -> None:
    """An answer to another question does not become rows."""
    sandbox.fail("/data-collections/4", body=msgspec.json.encode(document(5)))

    report = await export(client, tmp_path)

    assert [(4, "the body is that of collection 5")] == [(one.id, one.reason) for one in report.quarantined]
    assert [1, 2, 3, 5, 6] == ids(tmp_path)


@pytest.mark.parametrize(("text", "sound"), [("é".encode(), True), (b"\xff", False)])
async def test_a_body_that_is_not_utf8_is_in_quarantine(  # noqa: PLR0917 - fixtures are arguments
    client: AegisClient,
    sandbox: Sandbox,
    tmp_path: Path,
    document: Callable[..., dict[str, Any]],
    text: bytes,
    sound: bool,
) -> None:
    """A field that the models do not know is not looked into by the decoder, but it is part of a raw line."""
    body = msgspec.json.encode(document(4, unknown="?")).replace(b'"?"', b'"%s"' % text)
    sandbox.fail("/data-collections/4", body=body)

    report = await export(client, tmp_path, ids=[4])

    assert sound == (not report.quarantined)
    assert sound == (4 in {line["id"] for line in raw_lines(tmp_path)})


async def test_a_listing_that_moves_is_read_again(sandbox: Sandbox, client: AegisClient, tmp_path: Path) -> None:
    """What a walk over a moving listing missed is found by the next one, and all of it is exported."""
    for _ in range(200):
        sandbox.add()
    sandbox.drift(after_page=1, add_first=1)

    report = await export(client, tmp_path)

    assert report.listing is not None
    assert ("complete", 207) == (report.status, report.listing.items)
    assert (1, True) == (report.listing.repeats, report.listing.sweeps > 1)


async def test_a_listing_that_never_stands_still_makes_it_partial(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When each walk over it meets another change, nobody can say that it was all."""
    monkeypatch.setattr("aegis_async._resources._api.Listing", partial(Listing, skim_size=100))
    for _ in range(200):
        sandbox.add()

    async with restless(sandbox) as client:
        report = await export(client, tmp_path)

    assert report.listing is not None
    assert ("partial", "none", 5) == (report.status, report.listing.evidence, report.listing.sweeps)
    assert report.reason is not None
    assert report.reason.startswith(f"the listing may lack something, {report.listing.reason}")


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


def left_behind() -> list[str]:
    """Give the tasks of the package that still run, those of the sandbox left out."""
    files = (str(task.get_stack(limit=1)) for task in asyncio.all_tasks())
    return [file for file in files if "aegis_async" in file and "sandbox" not in file]


class Held:
    """Stops an export after some collections, until the test goes on."""

    def __init__(self, after: int) -> None:
        self._after = after
        self.reached = asyncio.Event()

    def __call__(self, progress: Progress) -> None:
        if progress.done == self._after:
            self.reached.set()


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


async def test_a_progress_that_fails_ends_the_export(client: AegisClient, tmp_path: Path) -> None:
    """An error of the caller's own is passed on, and told in the report."""

    def progress(_: Progress) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await export(client, tmp_path, progress=progress)

    report = read_report(tmp_path)
    assert ("failed", "LookupError; what was fetched until then is kept") == (report.status, report.reason)


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


async def test_costs_that_do_not_fit_are_counted(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path, document: Callable[..., dict[str, Any]]
) -> None:
    """The report says how many costs only the text column holds."""
    body = msgspec.json.encode(document(4, evaluations=3)).replace(b'"0.00120"', b'"1E-30"', 2)
    sandbox.fail("/data-collections/4", body=body)

    report = await export(client, tmp_path, ids=[4])

    found = duckdb.execute(
        f"SELECT evaluation_cost, evaluation_cost_text FROM '{tmp_path}/evaluations/*.parquet' ORDER BY id"  # noqa: S608 - paths of ours
    ).fetchall()
    assert 2 == report.costs_as_text
    assert [(None, "1E-30"), (None, "1E-30"), ("0.00120", "0.00120")] == [
        (cost if cost is None else str(cost)[:7], text) for cost, text in found
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"format": "xml"}, "^format must be one of 'parquet', 'ndjson', .* not 'xml'$"),
        ({"format": ()}, "^format must name at least one of parquet, ndjson, "),
        ({"ids": "123"}, "^ids must be an iterable of integers, not str$"),
        ({"ids": 5}, "^ids must be an iterable of integers, not int$"),
        ({"concurrency": 0}, "^concurrency must be at least 1, not 0$"),
        ({"deleted": "maybe"}, "^deleted must be one of 'keep', 'drop', not 'maybe'$"),
        ({"max_outage": float("nan")}, "^max_outage must be a number of seconds from 0, not nan$"),
        ({"batch_bytes": 0}, "^batch_bytes must be at least 1, not 0$"),
        ({"shared": "yes"}, "^shared must be True, False or None, not 'yes'$"),
    ],
)
async def test_a_wrong_argument_is_refused_before_anything_is_made(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path, arguments: dict[str, Any], words: str
) -> None:
    """The error names the argument; there is no request and no folder."""
    with pytest.raises(InvalidArgumentError, match=words):
        await export(client, tmp_path / "out", **arguments)

    assert [] == sandbox.requests
    assert not (tmp_path / "out").exists()


async def test_an_id_that_is_none_is_missing(client: AegisClient, tmp_path: Path) -> None:
    """A wrong id among good ones is that id's error."""
    report = await export(client, tmp_path, ids=[0, 1])

    assert [(0, "InvalidArgumentError", "id must be at least 1, not 0")] == [
        (one.id, one.error, one.reason) for one in report.missing
    ]
    assert [1] == ids(tmp_path)


async def test_formats_may_be_named_twice(client: AegisClient, tmp_path: Path) -> None:
    """A format that is repeated is written once."""
    report = await export(client, tmp_path, format=["parquet", "parquet"])

    assert ("parquet",) == report.formats
    assert report.rows == rows(tmp_path)


async def test_a_foreign_folder_is_refused_before_any_request(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Nothing is fetched for a folder that cannot be used."""
    (tmp_path / "thesis.txt").touch()

    with pytest.raises(InvalidArgumentError, match="holds other files"):
        await export(client, tmp_path)

    assert [] == sandbox.requests
    assert {"thesis.txt"} == files(tmp_path)


async def test_two_exports_into_one_folder_do_not_meet(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """The second is refused at once, the first ends as if it had been alone."""
    sandbox.fail("/data-collections/4", delay=float("inf"))
    held = Held(3)
    first = asyncio.create_task(export(client, tmp_path, concurrency=1, progress=held))
    await held.reached.wait()

    with pytest.raises(ExportError, match="held by another export"):
        await export(client, tmp_path)

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert [1, 2, 3] == ids(tmp_path)


async def test_without_pyarrow_one_sentence_has_the_command(
    client: AegisClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The extra is named, and no folder is made."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ExportError) as caught:
        await export(client, tmp_path / "out")

    command = 'pip install "aegis-async[export]"'
    assert f"this export needs pyarrow, which is not installed: {command}" == str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["out", "it's", "a[b]*?"])
async def test_the_next_steps_work_when_pasted(client: AegisClient, tmp_path: Path, name: str) -> None:
    """The query gives a row for each model, whatever the folder is called."""
    out = tmp_path / name
    await export(client, out)

    found = duckdb.execute(next_steps(out)).fetchall()

    collections = [full async for full in client.data_collections.get_many(range(1, 7))]
    ended = [run for full in collections for run in full.runs if run.finished_at]
    assert Counter(run.model_slug for run in ended) == {model: count for model, count, _, _ in found}


def test_a_report_of_another_version_is_refused(tmp_path: Path) -> None:
    """What this version cannot read is one sentence, and so is no report at all."""
    with pytest.raises(ExportError, match=r"_report\.json: No such file or directory$"):
        read_report(tmp_path)
    (tmp_path / "_report.json").write_text("{}")

    with pytest.raises(ExportError, match="is no report that this version of aegis_async reads: "):
        read_report(tmp_path)


def test_pyarrow_is_not_imported_before_an_export_begins() -> None:
    """Importing the module costs nobody the time of an extra that may be missing."""
    program = "import sys, aegis_async.export; sys.exit('pyarrow' in sys.modules)"

    ended = subprocess.run([sys.executable, "-c", program], check=False)  # noqa: S603 - a program of ours

    assert 0 == ended.returncode


@pytest.mark.parametrize("to", [None, "mysql://somewhere"])
async def test_a_database_at_an_address_needs_one(client: AegisClient, tmp_path: Path, to: str | None) -> None:
    """The error names the argument before anything is made."""
    with pytest.raises(InvalidArgumentError, match="^to must be"):
        await export(client, tmp_path / "out", format="postgres", to=to)

    assert not (tmp_path / "out").exists()


async def test_it_goes_past_the_cache(sandbox: Sandbox, tmp_path: Path) -> None:
    """An export reads what is there now, and pushes out nothing of what tabs look at."""
    async with AegisClient(sandbox.api_key, base_url=sandbox.url, cache=Cache()) as client:
        await client.data_collections.get(3)
        assert client.cache is not None
        before = client.cache.stats()
        await export(client, tmp_path / "OUT")

        assert before == client.cache.stats()

    assert 2 == served(sandbox)["/3"]
