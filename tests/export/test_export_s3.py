"""A whole export into an S3 server: the same tables, increments, a kill, two at once, and what the store refuses."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aegis_async import AegisClient
from aegis_async.cli import main
from aegis_async.errors import ExportError, InvalidArgumentError
from aegis_async.export import TABLES, compare, export, next_steps, read, read_report, verify
from aegis_async.export import _lease as lease
from aegis_async.export._commits import State, read_commits
from aegis_async.export._folder import claim
from aegis_async.export._layout import FOLDERS
from aegis_async.export._stores import store_at
from aegis_async.sandbox import Sandbox
from tests.export.folders import served
from tests.export.s3 import S3, SECRET


@pytest.fixture
def out(bucket: str) -> str:
    return f"{bucket}/nightly"


def content(out: str | Path) -> dict[str, list[dict[str, object]]]:
    keys = {table.name: [(key, "ascending") for key in table.key] for table in TABLES}
    return {name: table.sort_by(keys[name]).to_pylist() for name, table in read(out).items()}


async def test_the_tables_are_those_of_a_local_export(
    client: AegisClient, sandbox: Sandbox, out: str, at_rest: int, tmp_path: Path
) -> None:
    """Everything that reads an export reads this one, a rerun only lists, and nothing is left behind."""
    await export(client, tmp_path)
    report = await export(client, out)
    sandbox.clear_requests()
    again = await export(client, out)
    asked = served(sandbox)

    assert "complete" == report.status
    assert {""} == set(asked)
    assert (0, at_rest) == (again.fetched, again.unchanged)
    assert await asyncio.to_thread(content, out) == content(tmp_path)
    assert [] == await asyncio.to_thread(verify, out)
    assert [] == await compare(client, out)
    assert again == await asyncio.to_thread(read_report, out)
    assert f"FROM '{out}/runs/*.parquet'" in next_steps(out)


@pytest.mark.usefixtures("at_rest")
async def test_a_rerun_costs_the_store_little(client: AegisClient, s3: S3, out: str) -> None:
    """A rerun with nothing changed lists each folder once, that of the commits more often, and puts no part."""
    await export(client, out)
    s3.asked.clear()

    await export(client, out)

    methods = [method for method, _, _ in s3.asked]
    puts = [path.rpartition("nightly/")[2] for method, path, _ in s3.asked if method == "PUT"]
    listings = [query for method, _, query in s3.asked if method == "GET" and "list-type" in query]
    assert {"_commits/000003.json", "_report.json"} == {path for path in puts if "lock" not in path}
    assert len(FOLDERS) + 7 >= len(listings)
    assert 40 >= len(methods)


async def test_what_changed_takes_the_place_of_what_was(client: AegisClient, sandbox: Sandbox, out: str) -> None:
    """An increment replaces the parts of what was fetched again."""
    await export(client, out)

    report = await export(client, out, full=True)

    named = {part.path for part in State(read_commits(store_at(out))).parts()}
    assert len(sandbox.requests) > 0
    assert 6 == report.fetched
    assert named == {path for folder in FOLDERS for path in store_at(out).list(folder)}
    assert [] == await asyncio.to_thread(verify, out)


async def test_two_exports_at_once_are_refused(client: AegisClient, out: str) -> None:
    """The second one is told that the first is at work."""
    first = await asyncio.to_thread(claim, out)

    with pytest.raises(ExportError, match=r"is held by another export until"):
        await export(client, out)

    await asyncio.to_thread(first.lock.release)
    assert "complete" == (await export(client, out)).status


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
async def test_a_killed_export_is_taken_up(
    client: AegisClient, sandbox: Sandbox, s3: S3, out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after its second commit, with a part put that none names, a rerun ends whole once the lease ran out."""
    script = f"import asyncio\nfrom aegis_async import AegisClient\nfrom aegis_async.export import export\n\
async def main():\n    async with AegisClient() as client:\n        await export(client, {out!r}, batch_bytes=1)\n\
asyncio.run(main())\n"
    victim: list[subprocess.Popen[bytes]] = []

    def kill_at_the_third(asked: tuple[str, str, str]) -> None:
        if asked[0] == "PUT" and asked[1].endswith("_commits/000003.json"):
            os.kill(victim[0].pid, signal.SIGKILL)

    s3.refuse = kill_at_the_third
    environment = {**os.environ, **sandbox.env, "PYTHONPATH": str(Path(__file__).parents[2])}
    victim.append(subprocess.Popen([sys.executable, "-c", script], env=environment))  # noqa: ASYNC220, S603 - ours
    status = await asyncio.to_thread(victim[0].wait)
    s3.refuse = lambda _: None
    with pytest.raises(ExportError, match=r"is held by another export until"):
        await export(client, out)
    monkeypatch.setattr(lease.ObjectLease.__init__, "__defaults__", (_later, threading.Event.wait))

    report = await export(client, out)

    assert -signal.SIGKILL == status
    assert "complete" == report.status
    assert 0 < report.unchanged < 6
    assert [] == await asyncio.to_thread(verify, out)


def _later() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=61)


@pytest.mark.parametrize("format_", ["duckdb", "sqlite", "delta"])
async def test_a_database_file_needs_a_folder(client: AegisClient, out: str, format_: str) -> None:
    """What is written in place or renamed cannot be an object."""
    with pytest.raises(InvalidArgumentError, match=rf"local folder for the format {format_}, and it is a URL$"):
        await export(client, out, format=("parquet", format_))


async def test_a_missing_bucket_is_one_sentence(client: AegisClient, s3: S3) -> None:
    """Nothing makes a bucket on its own."""
    with pytest.raises(ExportError, match=r"no such bucket or object \(NoSuchBucket\)$"):
        await export(client, "s3://nowhere-at-all/prefix")

    assert {"GET"} == {method for method, _, _ in s3.asked[-1:]}


async def test_a_refusal_is_one_sentence_without_the_servers_words(client: AegisClient, s3: S3, out: str) -> None:
    """What the server says beside its code may hold more than the place."""
    s3.refuse = lambda _: ("403 Forbidden", "AccessDenied")

    with pytest.raises(ExportError) as caught:
        await export(client, out)

    assert f"{out}/_commits: access refused; check the credentials and what they may do (AccessDenied)" == str(
        caught.value
    )
    assert SECRET not in str(caught.value)


async def test_a_store_that_refuses_half_way_leaves_what_was_committed(client: AegisClient, s3: S3, out: str) -> None:
    """From the third commit on nothing can be written; with access again a rerun goes on."""
    full: list[str] = []

    def refuse(asked: tuple[str, str, str]) -> tuple[str, str] | None:
        full.extend(["now"] if asked[1].endswith("_commits/000003.json") else [])
        return ("403 Forbidden", "AccessDenied") if full and asked[0] == "PUT" else None

    s3.refuse = refuse
    with pytest.raises(ExportError, match=r"access refused"):
        await export(client, out, batch_bytes=1)
    s3.refuse = lambda _: None
    held = [path for path in store_at(out).list("_commits") if "lock" not in path]
    store_at(out).delete(max(path for path in store_at(out).list("_commits") if "lock" in path))

    report = await export(client, out)

    assert ["_commits/000001.json", "_commits/000002.json"] == held
    assert "complete" == report.status
    assert 0 < report.unchanged


def test_a_server_that_is_gone_ends_the_command_with_one_sentence(
    s3: S3, out: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server fails while parts are put: status 1, and no secret in what is said."""
    s3.refuse = lambda asked: (
        ("503 Service Unavailable", "ServiceUnavailable") if "/nightly/runs/" in asked[1] else None
    )
    with Sandbox(collections=2) as sandbox:
        for name, value in sandbox.env.items():
            monkeypatch.setenv(name, value)

        status = main(["export", out])

    said = capfd.readouterr().err
    assert 1 == status
    assert "the object store failed: ServiceUnavailable" in said
    assert SECRET not in said


def test_a_server_that_does_not_listen_is_one_sentence(s3: S3, out: str) -> None:
    """A refused connection ends after a few tries."""
    store = store_at(out)
    s3.stop()
    try:
        with pytest.raises(ExportError, match=r"the server does not answer; run the export again when it does$"):
            store.put("runs/x", b"")
    finally:
        s3.start()
