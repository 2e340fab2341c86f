"""Real processes: signals, pipes that close early, and a terminal."""

import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from aegis_async.cli import _process
from aegis_async.export import read_report
from aegis_async.sandbox import Sandbox
from tests.cli.ends import Process, Spawn

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither these signals nor a pty")
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


def await_line(stream: IO[str] | None, words: str) -> str:
    """Read until a line with these words."""
    assert stream is not None
    return next(line for line in stream if words in line)


@pytest.fixture
def endless(server: Sandbox) -> Sandbox:
    """A service that gives some collections and then never answers again."""
    server.fail("/data-collections/[456]", delay=float("inf"), times=None)
    return server


@posix
@pytest.mark.parametrize(("number", "status"), SIGNALS)
@pytest.mark.usefixtures("endless")
def test_a_signal_ends_an_export_without_half_files(number: int, status: int, spawn: Spawn, tmp_path: Path) -> None:
    """Ctrl-C and SIGTERM cancel what is under way, commit what is there, and say so."""
    process = spawn("export", "OUT", "--concurrency", "1")
    await_line(process.stderr, "1 of 6 collections")

    process.send_signal(number)
    _, err = process.communicate()

    report = read_report(tmp_path / "OUT")
    assert status == process.returncode
    assert "interrupted" == report.status
    assert f"Ended early: {report.rows['collections']} collections are in OUT, and every file there is whole; " in err
    assert [] == [path for path in (tmp_path / "OUT").rglob("*") if "tmp" in path.suffix]
    assert "Traceback" not in err


@posix
def test_a_signal_ends_a_command_that_waits_for_the_service(server: Sandbox, spawn: Spawn) -> None:
    """Also a command of one request ends at once, with the status of the signal and nothing half written."""
    server.fail("/data-collections/2", status=503, retry_after=50)
    process = spawn("get", "2")
    await_line(process.stderr, "next in 50.00 s")

    process.send_signal(signal.SIGINT)
    out, _ = process.communicate()

    assert (130, "") == (process.returncode, out)


@pytest.fixture
def reading(spawn: Spawn) -> Process:
    """An export that waits in a thread for ids that never come to their end."""
    process = spawn("export", "OUT", "--sandbox", "--ids", "-", "-v", stdin=subprocess.PIPE)
    await_line(process.stderr, "reading ids from standard input")
    return process


@posix
@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_a_signal_waits_for_no_thread_without_an_end(number: int, status: int, reading: Process) -> None:
    """Nobody is held up by one until the time for an export's commit is over."""
    reading.send_signal(number)
    ended = reading.wait()

    assert reading.stderr is not None
    assert status == ended
    assert "not done 10 s after" not in reading.stderr.read()


@posix
@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_a_second_signal_ends_at_once(number: int, status: int, reading: Process) -> None:
    """Whoever presses Ctrl-C twice waits for nothing."""
    reading.send_signal(number)
    await_line(reading.stderr, "another one ends at once")
    reading.send_signal(number)

    assert status == reading.wait()


@pytest.mark.parametrize("stderr", [None, io.StringIO()], ids=["closed", "no file"])
def test_the_end_needs_no_standard_error(stderr: IO[str] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has nobody to tell ends as well."""
    ends: list[int] = []
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(os, "_exit", ends.append)

    _process._Supervisor()._give_up()

    assert [128] == ends


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_prints_its_variables_and_ends_with_0(number: int, spawn: Spawn) -> None:
    """A server's end is a signal, so that is no failure; what it prints is for ``eval``."""
    process = spawn("sandbox", "--collections", "3")
    assert process.stdout is not None
    lines = [process.stdout.readline(), process.stdout.readline()]
    variables = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines)

    listed = spawn("list", "--format", "csv", env=variables).communicate()[0]
    process.send_signal(number)
    _, err = process.communicate()

    assert 0 == process.returncode
    assert ["AEGIS_API_KEY", "AEGIS_BASE_URL"] == list(variables)
    assert 1 + 3 == len(listed.splitlines())
    assert f"3 collections at {variables['AEGIS_BASE_URL']}; Ctrl-C ends it" in err


@posix
def test_a_reader_that_leaves_early_ends_the_command_quietly(spawn: Spawn) -> None:
    """``| head -1`` has what it wanted: no complaint, and no failure."""
    process = spawn("list", "--sandbox", "--page-size", "10")
    assert process.stdout is not None
    first = process.stdout.readline()
    process.stdout.close()

    assert process.stderr is not None
    assert "" == process.stderr.read()
    assert first.startswith('{"id":1,')
    assert 0 == process.wait()


@posix
@pytest.mark.usefixtures("server")
def test_a_reader_of_a_table_may_leave_too(spawn: Spawn) -> None:
    """A table that nobody reads is no failure either."""
    process = spawn("list", "--format", "table", stdin=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()

    assert (0, "") == (process.wait(), process.communicate()[1])


@posix
@pytest.mark.usefixtures("server")
def test_an_export_goes_on_when_nobody_hears_of_it(spawn: Spawn, tmp_path: Path) -> None:
    """Whoever reads progress and log may leave: the export is about its files."""
    process = spawn("export", "OUT")
    assert process.stderr is not None
    process.stderr.close()

    assert 0 == process.wait()
    assert "complete" == read_report(tmp_path / "OUT").status


@posix
def test_a_reader_that_leaves_early_does_not_hide_what_is_missing(server: Sandbox, spawn: Spawn) -> None:
    """An export is about its files: 3 is 3, whoever reads the summary."""
    server.fail("/data-collections/2", status=404, times=None)
    process = spawn("export", "OUT")
    assert process.stdout is not None
    process.stdout.close()

    assert 3 == process.wait()


Terminal = Callable[..., tuple[Process, Iterator[str]]]


@pytest.fixture
def terminal(spawn: Spawn) -> Terminal:
    """Start a command on a terminal of so many columns; give it and what it shows, piece by piece."""
    if sys.platform == "win32":
        pytest.skip("Windows has no pty")
    import pty  # noqa: PLC0415 - Windows has none

    def start(*argv: str, columns: int) -> tuple[Process, Iterator[str]]:
        ours, theirs = pty.openpty()
        env = {"COLUMNS": str(columns), "LINES": "40", "TERM": "xterm"}
        process = spawn(*argv, env=env, stdout=theirs, stderr=theirs)
        os.close(theirs)
        return process, _pieces(ours)

    return start


@pytest.mark.parametrize("columns", [80, 200])
def test_a_terminal_gets_a_table_that_fits(columns: int, terminal: Terminal) -> None:
    """No line is wider than the terminal, and ids and dates are never cut."""
    process, shown = terminal("list", "--sandbox", "--limit", "12", columns=columns)

    lines = _plain("".join(shown)).splitlines()

    assert 0 == process.wait()
    assert ["ID", "Name", "Owner", "Datasets", "Runs", "Updated", "(UTC)"] == lines[0].split()
    assert [str(n) for n in range(1, 13)] == [line.split()[0] for line in lines[1:13]]
    assert all(re.search(r" \d{4}-\d\d-\d\d \d\d:\d\d ?$", line) for line in lines[1:13])
    assert columns >= max(map(len, lines))
    assert "12 of 300 data collections" == lines[13]


def test_a_terminal_gets_indented_json(terminal: Terminal) -> None:
    """One field a line, for eyes."""
    process, shown = terminal("get", "14", "--sandbox", columns=80)

    lines = "".join(shown).splitlines()

    assert 0 == process.wait()
    assert ["{", '  "id": 14,', '  "user": {', '    "id": 7,'] == lines[:4]


def test_a_terminal_gets_a_bar_that_warnings_do_not_tear(server: Sandbox, terminal: Terminal) -> None:
    """The bar counts retries and failures; a warning stands on a line of its own; the bar is gone at the end."""
    server.fail("/data-collections/2", status=503, retry_after=0.01, times=None)

    process, pieces = terminal("export", "OUT", "--max-attempts", "2", columns=120)
    shown = _plain("".join(pieces))

    assert 3 == process.wait()
    assert "1 retry, " in shown
    assert "/6 " in shown
    assert re.search(r"^warning: GET /data-collections/2: 503.* next in \d\.\d\d s *$", shown, re.MULTILINE)
    assert "Missing collections:" in shown


def _pieces(descriptor: int) -> Iterator[str]:
    with open(descriptor, "rb", buffering=0) as stream:
        while True:
            try:
                piece = stream.read(65_536)
            except OSError:  # how Linux tells that the other side is closed
                return
            if not piece:
                return
            yield piece.decode(errors="replace")


def _plain(shown: str) -> str:
    """Give what a terminal shows without colours; each drawing of a line is a line of its own."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r\n", "\n").replace("\r", "\n")
