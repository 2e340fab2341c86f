"""The export as a command: what it prints, its ids, and its progress."""

import asyncio
import gc
import io
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.console import Console

from aegis_async import AegisClient
from aegis_async._clock import Clock
from aegis_async._limits import Gate
from aegis_async.cli import _connect
from aegis_async.cli._collector import collected_rarely
from aegis_async.cli._connect import _slots
from aegis_async.cli._exporting import read_ids
from aegis_async.cli._progress import BarDisplay, LineDisplay, Meter, shown_progress
from aegis_async.errors import InvalidArgumentError
from aegis_async.export import TABLES, Progress, read_report
from aegis_async.sandbox import Sandbox
from tests.cli.ends import Run
from tests.missing import missing


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Time:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def lines(console: Console) -> list[str]:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_a_finished_export_shows_counts_folders_and_a_query_that_works(run: Run) -> None:
    """The counts are those of the report, and what is printed at the end works when pasted into DuckDB."""
    ended = run("export", "OUT", "--sandbox", "--sandbox-collections", "20")

    report = read_report("OUT")
    head, query = ended.out.split("\nSELECT ", 1)
    assert 0 == ended.status
    assert ended.out.startswith(f"Complete: {report.files} files, ")
    assert report.listing is not None
    assert f"\n  the listing is complete: {report.listing.reason}\n" in head
    for table in TABLES:
        assert f"{report.rows[table.name]:,} rows  {Path('OUT', table.name)}\n" in head
    assert duckdb.execute(f"SELECT {query}").fetchall()


def test_the_command_for_a_database_by_its_url_names_the_file(run: Run, tmp_path: Path) -> None:
    """No shell of a database knows what a folder's ``file:`` URL is."""
    url = (tmp_path / "OUT").as_uri()

    ended = run("export", url, "--format", "sqlite", "--sandbox", "--sandbox-collections", "1")

    assert f"\nNext: sqlite3 {tmp_path / 'OUT'}/export.sqlite " in ended.out


@pytest.mark.service
def test_a_finished_export_into_a_database_shows_a_command_that_works(run: Run) -> None:
    """What is printed at the end runs in a shell, and the tables are said to be where they are."""
    if shutil.which("sqlite3") is None:
        missing("sqlite3", "sqlite3")

    ended = run("export", "it's OUT", "--format", "sqlite", "--sandbox", "--sandbox-collections", "20")

    command = ended.out.partition("\nNext: ")[2]
    answer = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)  # noqa: S603, S607 - ours
    assert 0 == ended.status
    place = Path("it's OUT") / "export.sqlite"
    assert f"rows  {place}\n" in ended.out
    assert 10 == len(answer.stdout.splitlines())


@pytest.mark.parametrize(("name", "place"), [("csv", "runs"), ("delta", "delta/runs"), ("duckdb", "export.duckdb")])
def test_a_finished_export_says_where_its_tables_are(run: Run, name: str, place: str) -> None:
    """No format is spoken of as if it were another."""
    ended = run("export", "OUT", "--format", name, "--sandbox", "--sandbox-collections", "5")

    assert f"rows  {Path('OUT', place)}\n" in ended.out
    assert ".parquet" not in ended.out


def test_without_a_terminal_progress_is_lines_on_standard_error(run: Run) -> None:
    """Standard output holds the result alone."""
    ended = run("export", "OUT", "--sandbox", "--sandbox-collections", "3")

    assert ended.err.startswith("1 of 3 collections, ")
    assert "/s, " not in ended.out


def test_the_collector_is_left_as_it_was(run: Run) -> None:
    """A command that runs inside another program leaves its garbage collector alone afterwards."""
    before = gc.get_threshold()

    with collected_rarely():
        during = gc.get_threshold()
    run("export", "OUT", "--sandbox", "--sandbox-collections", "2")

    assert during[0] > before[0]
    assert before == gc.get_threshold()


def test_ids_come_from_a_file(server: Sandbox, folder: Path, run: Run) -> None:
    """Only the ids in the file are fetched, each once, and no listing is made."""
    (folder / "ids.txt").write_text("4\n\n 2 \n4\n", encoding="utf-8")

    ended = run("export", "OUT", "--ids", "ids.txt")

    assert 0 == ended.status
    assert {"/data-collections/2", "/data-collections/4"} == {request.path for request in server.requests}
    assert 2 == len(server.requests)
    assert "the listing is" not in ended.out


def test_ids_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash reads what another command has written."""
    monkeypatch.setattr("sys.stdin", io.StringIO("3\n1\n"))

    assert [3, 1] == read_ids("-")


def test_ids_from_a_closed_standard_input_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """``<&-`` leaves nothing to read, which is a sentence of its own."""
    monkeypatch.setattr("sys.stdin", None)

    with pytest.raises(InvalidArgumentError, match="^--ids: standard input is closed$"):
        read_ids("-")


@pytest.mark.parametrize("line", ["x", "0", "-1", "1.5", "1_0", "\u0661", "9" * 5000])
def test_a_line_that_is_no_id_is_named(line: str, folder: Path) -> None:
    """The complaint says which line of which file, before anything is fetched."""
    (folder / "ids.txt").write_text(f"1\n{line}\n", encoding="utf-8")

    with pytest.raises(
        InvalidArgumentError, match=r"^--ids: ids\.txt, line 2.* must be|^--ids: ids\.txt, line 2: an id"
    ):
        read_ids("ids.txt")


def test_ids_that_are_no_text_are_refused(folder: Path) -> None:
    """A file of another kind is a sentence, not a traceback."""
    (folder / "ids.txt").write_bytes(b"\xff\xfe1")

    with pytest.raises(InvalidArgumentError, match=r"cannot read ids\.txt: it is not UTF-8"):
        read_ids("ids.txt")


def test_an_export_that_is_refused_does_not_speak_of_an_earlier_one(server: Sandbox, run: Run) -> None:
    """What an earlier run left is not what this one has done."""
    run("export", "OUT")
    server.fail(status=401, times=None)

    failed = run("export", "OUT")
    refused = run("export", "OUT", "--concurrency", "0")

    assert "Ended early: 6 collections are in OUT, and every file there is whole; run it again" in failed.err
    assert "Ended early" not in refused.err


def test_the_meter_says_rate_time_left_retries_and_failures() -> None:
    """Ten of forty in five seconds are two a second, and leave fifteen seconds."""
    time = Time()
    meter = Meter(lambda: 0, time)
    meter.progress = Progress(done=10, total=40, failed=1)
    time.now += 5.0

    assert "10 of 40 collections, 2.0/s, 0:00:15 left, 0 retries, 1 failed" == str(meter)


def test_the_meter_knows_what_it_does_not_know() -> None:
    """Before the first page there is no total, and before the first collection no rate."""
    assert "0 of ? collections, 0.0/s, -:--:-- left, 0 retries, 0 failed" == str(Meter(lambda: 0, Time()))


async def test_the_meter_counts_the_clients_retries(server: Sandbox) -> None:
    """The retries beside the bar are those of the client that the export uses."""
    server.fail("/data-collections/1", status=503, retry_after=0.001, times=2)
    console = Console(file=io.StringIO(), width=200)
    async with AegisClient(server.api_key, base_url=server.url) as client, shown_progress(console, client) as display:
        await client.data_collections.get(1)
        display.update(Progress(done=1, total=1))

    assert "2 retries" in console.file.getvalue()  # type: ignore[attr-defined]  # it is a StringIO


def test_a_rate_limit_reaches_the_client(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for is what the client keeps; without the option it keeps none."""
    kept: list[object] = []

    def made(*args: Any, **kwargs: Any) -> AegisClient:
        kept.append(kwargs["rate_limit"])
        return AegisClient(*args, **kwargs)

    monkeypatch.setattr(_connect, "AegisClient", made)
    run("get", "1", "--sandbox", "--rate-limit", "200")
    run("get", "1", "--sandbox")

    assert [200.0, None] == kept


@pytest.mark.parametrize("concurrency", [1, 8, 11, 12, 16, 64, 500])
def test_bulk_has_room_for_what_is_asked_for(concurrency: int) -> None:
    """The lane of an export holds its collections and a page, whatever the concurrency."""
    bulk = Gate(_slots(concurrency), None, Clock())._bulk_limit

    assert bulk >= concurrency + 1


class Naps:
    """Two waits that are over at once, and a third that lasts."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self.over = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        if len(self.taken) > 2:
            self.over.set()
            await asyncio.Event().wait()


async def test_lines_go_on_while_nothing_moves() -> None:
    """A line every interval, also when no collection comes: silence would look like a crash."""
    console, naps = Console(file=io.StringIO(), width=200), Naps()

    async with LineDisplay(console, Meter(lambda: 0, Time()), 5.0, naps).shown():
        await naps.over.wait()

    assert [5.0, 5.0, 5.0] == naps.taken
    assert 2 == len(lines(console))


async def test_a_bar_says_retries_while_nothing_moves() -> None:
    """In an outage no collection comes, and what is beside the bar tells that it is tried again."""
    console, naps = Console(file=io.StringIO(), width=200, force_terminal=True), Naps()

    async with BarDisplay(console, Meter(lambda: len(naps.taken), Time()), naps).shown():
        await naps.over.wait()

    assert "2 retries" in console.file.getvalue()  # type: ignore[attr-defined]  # it is a StringIO


def test_the_first_collection_is_said_and_the_next_waits_for_its_line() -> None:
    """The first line comes at once, so that one sees that it works."""
    console = Console(file=io.StringIO(), width=200)
    display = LineDisplay(console, Meter(lambda: 0, Time()))
    first = Progress(done=1, total=9)

    display.update(first)
    display.update(replace(first, done=2))

    assert ["1 of 9 collections, 0.0/s, -:--:-- left, 0 retries, 0 failed"] == lines(console)
