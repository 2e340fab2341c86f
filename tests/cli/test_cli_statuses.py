"""Exit statuses: each command's good end, and one clear sentence for each way to fail."""

import logging
import os
import sys
from pathlib import Path

import pytest

from aegis_async.cli import _exporting, main
from aegis_async.cli._failures import sentence, status
from aegis_async.errors import AegisError
from aegis_async.sandbox import Sandbox
from tests.cli.ends import Run, Spawn

# The good end of sandbox and dashboard is a signal: test_cli_processes and test_cli_dashboard have it.
CASES: list[tuple[list[str], int, str]] = [
    (["list", "--sandbox", "--sandbox-collections", "3"], 0, ""),
    (["list", "--sandbox", "--page-size", "10001"], 2, "page_size must be between 1 and 10000, not 10001"),
    (["list", "--sandbox", "--limit", "0"], 2, "limit must be at least 1, not 0"),
    (["list", "--sandbox", "--base-url", "http://127.0.0.1"], 2, "--sandbox and --base-url exclude each other"),
    (["list", "--sandbox", "--sandbox-collections", "-1"], 2, "sandbox: collections must be 0 or more, not -1"),
    (["list", "--sandbox", "--timeout", "0"], 2, "timeout must be more than zero, not 0.0"),
    (["list", "--sandbox", "--max-attempts", "0"], 2, "retry.max_attempts must be at least 1, not 0"),
    (["list", "--base-url", "http://example.com"], 2, "no API key: set AEGIS_API_KEY"),
    (["get", "14", "--sandbox"], 0, ""),
    (["get", "9999", "--sandbox"], 1, "GET /data-collections/9999: 404"),
    (["get", "0", "--sandbox"], 2, "id must be at least 1, not 0"),
    (["export", "OUT", "--sandbox", "--sandbox-collections", "3"], 0, ""),
    (["export", "OUT", "--sandbox", "--concurrency", "0"], 2, "concurrency must be at least 1, not 0"),
    (["export", "NOT_OURS", "--sandbox"], 2, "out must be a new or empty folder or an earlier export"),
    (["export", "OUT", "--sandbox", "--ids", "NO_FILE"], 2, "--ids: cannot read NO_FILE: No such file or directory"),
    (["export", "OUT", "--sandbox", "--format", "postgres"], 2, "to must be the address of the database"),
    (
        ["export", "OUT", "--sandbox", "--max-outage", "nan"],
        2,
        "max_outage must be a number of seconds from 0, not nan",
    ),
    (["verify", "NOT_OURS"], 1, "NOT_OURS is no export: it has no _commits"),
    (["dashboard", "NOT_OURS"], 2, "out must be the folder of a finished export"),
    (["dashboard", "NOT_OURS", "--sandbox"], 2, "OUT excludes --sandbox and --base-url"),
    (["dashboard", "--sandbox", "--port", "99999"], 2, "--port must be between 0 and 65535, not 99999"),
    (["dashboard", "--sandbox", "--interval", "0"], 2, "--interval must be more than zero, not 0.0"),
    (["dashboard", "--sandbox", "--host", "192.0.2.1"], 1, "the dashboard cannot listen on 192.0.2.1:8765: "),
    (["dashboard", "--sandbox", "--host", "a" * 64], 1, ":8765: it is no valid name"),
    (["report", "NOT_OURS", "--file", "."], 2, "file must be a new file or one to replace, not '.'"),
    (["report", "NOT_OURS"], 2, "out must be the folder of a finished export"),
    (["sandbox", "--port", "99999"], 2, "sandbox: port must be between 0 and 65535, not 99999"),
    (["sandbox", "--latency", "nan"], 2, "sandbox: latency must be 0 or more, not nan"),
    (["doctor", "--sandbox", "--sandbox-collections", "3"], 0, ""),
]
USAGE = [
    *([], ["nonsense"], ["get"], ["get", "x"], ["list", "--shared", "yes"], ["export", "out", "--format", "xls"]),
    *([command, ""] for command in ("export", "verify", "report", "dashboard")),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "NOT_OURS").mkdir()
    (tmp_path / "NOT_OURS" / "thesis.txt").write_text("mine")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("argv", "expected", "words"), CASES, ids=[" ".join(argv) for argv, _, _ in CASES])
def test_a_command_ends_with_its_status_and_one_sentence(argv: list[str], expected: int, words: str, run: Run) -> None:
    """Success is 0; bad usage is 2 and a refusal of the service 1, with one line that says what is wrong."""
    ended = run(*argv)

    complaints = [line for line in ended.err.splitlines() if line.startswith("aegis-async: ")]
    assert expected == ended.status
    assert (1 if words else 0) == len(complaints)
    assert words in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("argv", USAGE, ids=map(" ".join, USAGE))
def test_bad_usage_is_2(argv: list[str], run: Run) -> None:
    """What the parser refuses ends with 2 as a return value, not as SystemExit."""
    ended = run(*argv)

    assert 2 == ended.status
    assert "usage: aegis-async" in ended.err


@pytest.mark.parametrize("argv", [["list"], ["get", "1"], ["export", "OUT"], ["doctor"]])
@pytest.mark.usefixtures("folder")
def test_a_refused_key_is_4(argv: list[str], server: Sandbox, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 401 has a status of its own, and the sentence never holds the key."""
    wrong = "sk_" + "0123456789abcdef" * 2
    monkeypatch.setenv("AEGIS_API_KEY", wrong)

    ended = run(*argv)

    assert 4 == ended.status
    assert "401" in ended.out + ended.err
    assert wrong not in ended.out + ended.err
    assert server.api_key not in ended.out + ended.err


def test_an_unreachable_service_is_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens there: one sentence, no traceback."""
    monkeypatch.setenv("AEGIS_API_KEY", "sk_" + "0" * 32)

    ended = run("list", "--base-url", "http://127.0.0.1:1", "--max-attempts", "1")

    assert 1 == ended.status
    assert "no connection" in ended.err
    assert 1 == len(ended.err.splitlines())


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AEGIS_API_KEY", "", "AEGIS_API_KEY is empty"),
        ("AEGIS_API_KEY", "'sk_x'", "AEGIS_API_KEY holds a quote"),
        ("AEGIS_BASE_URL", "http://example.com", "AEGIS_BASE_URL must use https://"),
    ],
)
@pytest.mark.usefixtures("server")
def test_a_variable_that_cannot_work_is_named(
    name: str, value: str, words: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The complaint speaks of what was set, not of an argument that nobody gave."""
    monkeypatch.setenv(name, value)

    ended = run("list")

    assert 2 == ended.status
    assert f"aegis-async: {words}" in ended.err


def test_a_closed_standard_output_is_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """``>&-`` leaves nothing to write to, which is said before anything is asked."""
    monkeypatch.setattr(sys, "stdout", None)

    status_, _, err = run("list", "--sandbox")

    assert (1, "aegis-async: standard output is closed\n") == (status_, err)


def test_a_port_in_use_is_1(server: Sandbox, run: Run) -> None:
    """The sandbox says which port it cannot have."""
    port = server.url.split(":")[2].split("/")[0]

    ended = run("sandbox", "--port", port)

    assert 1 == ended.status
    assert f"127.0.0.1:{port}: it is in use" in ended.err


@pytest.mark.usefixtures("folder")
def test_a_collection_that_cannot_be_fetched_makes_an_export_partial(server: Sandbox, run: Run) -> None:
    """A server that dies for one collection leaves 3, and the collection is named with the reason."""
    server.fail("/data-collections/3", reset=True, times=None)

    ended = run("export", "OUT", "--max-attempts", "1")

    assert 3 == ended.status
    assert "Partial: " in ended.out
    assert "1 could not be fetched" in ended.out
    assert "  3: GET /data-collections/3: " in ended.out


@pytest.mark.usefixtures("folder")
def test_missing_collections_are_listed_up_to_ten(server: Sandbox, run: Run) -> None:
    """Many that are gone fill neither the screen nor the mail: the rest is in the report."""
    server.fail("/data-collections/*", status=404, times=None)

    ended = run("export", "OUT", "--max-attempts", "1", "--ids", _ids(range(1, 16)))

    assert 3 == ended.status
    assert 10 == ended.out.count(": GET /data-collections/")
    assert f"and 5 more, all of them in {Path('OUT', '_report.json')}" in ended.out


@pytest.mark.usefixtures("folder")
def test_a_server_that_dies_half_way_fails_the_export(server: Sandbox, run: Run) -> None:
    """Ids are no more to blame than anybody: 1, when it has not come back in the time given."""
    server.fail("/data-collections/[3456]", reset=True, times=None)

    ended = run("export", "OUT", "--max-attempts", "1", "--max-outage", "0", "--concurrency", "1")

    assert 1 == ended.status
    assert "Ended early: 2 collections are in OUT, and every file there is whole; run it again to go on." in ended.err
    assert "aegis-async: the service has not answered for 0 s: GET /data-collections/" in ended.err


@pytest.mark.usefixtures("folder")
def test_a_listing_that_dies_fails_the_export_and_says_what_is_there(server: Sandbox, run: Run) -> None:
    """Without its listing an export cannot go on: 1, and the folder is spoken of."""
    server.fail("/data-collections", reset=True, times=None)

    ended = run("export", "OUT", "--max-attempts", "1")

    assert 1 == ended.status
    assert "Ended early: 0 collections are in OUT, and every file there is whole; run it again" in ended.err
    assert "aegis-async: GET /data-collections?page=1" in ended.err


@pytest.mark.usefixtures("folder")
def test_a_full_disk_fails_the_export(server: Sandbox, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's refusal to write becomes a sentence with the advice."""

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    ended = run("export", "OUT")

    assert 1 == ended.status
    assert "the disk is full; make room and run the export again" in ended.err
    assert server.requests


full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="only some systems have a device that is always full")


@full
@pytest.mark.usefixtures("server")
def test_a_full_standard_error_ends_no_export(spawn: Spawn) -> None:
    """A disk of the log that is full is no reason for a night without an export."""
    with Path("/dev/full").open("w") as log:
        process = spawn("export", "OUT", stderr=log.fileno())
        out, _ = process.communicate()

    assert 0 == process.returncode
    assert out.startswith("Complete: ")


@full
def test_a_full_standard_output_is_1(spawn: Spawn) -> None:
    """Output that cannot be written is one sentence, and the interpreter adds nothing at its end."""
    with Path("/dev/full").open("w") as device:
        process = spawn("list", "--sandbox", "--sandbox-collections", "3", stdout=device.fileno())
        _, err = process.communicate()

    assert (1, "aegis-async: cannot write to standard output: No space left on device\n") == (process.returncode, err)


@pytest.mark.parametrize("extra", [[], ["-v"]])
def test_a_surprise_is_1_and_shows_its_traceback_with_v_only(
    extra: list[str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody foresaw is one sentence, and -v gives what a bug report needs."""

    def surprise(_: object, __: object) -> None:
        raise LookupError("a surprise")

    monkeypatch.setattr(_exporting, "run_export", surprise)
    ended = run("export", "OUT", "--sandbox", *extra)

    assert 1 == ended.status
    assert bool(extra) == ("Traceback" in ended.err)
    assert bool(extra) != ("run again with -v for the traceback" in ended.err)


def test_verbose_logs_every_attempt_and_leaves_the_logger_as_it_was(run: Run) -> None:
    """-v shows the debug log on standard error; afterwards the host program's logging is untouched."""
    log = logging.getLogger("aegis_async")
    before = (log.level, list(log.handlers))

    ended = run("list", "--sandbox", "--sandbox-collections", "1", "-v")

    assert "debug: GET /data-collections?page=1&page_size=100: 200 (attempt 1 of 4)" in ended.err
    assert before == (log.level, log.handlers)


def test_every_error_of_the_package_has_a_status_and_a_sentence() -> None:
    """No class of the tree is left to the words for surprises."""
    classes, found = [AegisError], []
    while classes:
        found.append(classes.pop())
        classes += found[-1].__subclasses__()

    ended = {cls.__name__: (status(cls("it  broke\nhere")), sentence(cls("it  broke\nhere"))) for cls in found}

    assert set(ended.values()) >= {(1, "it broke here"), (2, "it broke here")}
    assert {1, 2, 4} == {number for number, _ in ended.values()}
    assert all(words and words.startswith("it broke here") for _, words in ended.values())


@pytest.mark.parametrize("at", ["build_parser", "_process.run"])
def test_ctrl_c_before_anything_runs_is_130(at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules take a while to load, and whoever interrupts that reads no traceback."""

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"aegis_async.cli.{at}", interrupted)

    assert 130 == main(["list", "--sandbox"])


def test_main_takes_the_arguments_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without arguments of its own ``main`` reads those of the process, as the script does."""
    monkeypatch.setattr(sys, "argv", ["aegis-async", "--version"])

    assert 0 == main()


def _ids(numbers: range) -> str:
    Path("ids.txt").write_text("".join(f"{number}\n" for number in numbers), encoding="utf-8")
    return "ids.txt"
