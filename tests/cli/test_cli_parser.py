"""The table of commands and the parser: complete, told in help, and quick."""

import re
import subprocess
import sys
from argparse import ArgumentParser, _SubParsersAction
from pathlib import Path

import pytest

import aegis_async
from aegis_async.cli import build_parser
from aegis_async.cli._commands import COMMANDS, Command
from tests.cli.ends import Run

NAMES = [command.name for command in COMMANDS]
ASKING = [command.name for command in COMMANDS if command.asks_service]
SLOW = (
    "asyncio",
    "rich",
    "aiohttp",
    "msgspec",
    "pyarrow",
    "aegis_async.sandbox",
    "aegis_async.export",
    "aegis_async.dashboard",
)


def subparsers() -> dict[str, ArgumentParser]:
    (action,) = (a for a in build_parser()._actions if isinstance(a, _SubParsersAction))
    return dict(action.choices)


def test_the_table_holds_every_file_of_a_command() -> None:
    """A file in the folder of commands without a line in the table would be a command that nobody can call."""
    folder = Path(aegis_async.__file__).parent / "cli" / "_commands"

    files = {path.stem.lstrip("_") for path in folder.glob("*.py") if path.name != "__init__.py"}

    assert files == set(NAMES)


@pytest.mark.parametrize("name", ASKING)
def test_a_command_that_asks_the_service_takes_the_sandbox(name: str) -> None:
    """Everything but the sandbox itself can be tried without a key."""
    options = subparsers()[name]._option_string_actions

    assert {"--sandbox", "--sandbox-collections", "--sandbox-seed", "--base-url", "--timeout", "--max-attempts"} <= set(
        options
    )


def test_only_the_sandbox_and_the_report_ask_no_service() -> None:
    """The exceptions are named here, so that a new command cannot become one by accident."""
    assert ["report", "sandbox"] == [name for name in NAMES if name not in ASKING]


@pytest.mark.parametrize("command", COMMANDS, ids=NAMES)
def test_every_command_and_argument_has_help(command: Command) -> None:
    """The help text says what each argument does."""
    parser = subparsers()[command.name]

    assert command.summary
    assert command.description
    assert [] == [action.dest for action in parser._actions if not action.help]


@pytest.mark.parametrize("name", ASKING)
def test_help_says_that_the_key_comes_from_the_environment(name: str, run: Run) -> None:
    """There is no option for the key, and help says why."""
    ended = run(name, "--help")

    assert 0 == ended.status
    assert "AEGIS_API_KEY alone" in ended.out
    assert not re.search(r"--(api-)?key\b", ended.out)


@pytest.mark.parametrize("argv", [["--help"], *([name, "--help"] for name in NAMES)])
def test_help_fits_eighty_columns(argv: list[str], run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The texts that are laid out by hand are no wider than what argparse lays out."""
    monkeypatch.setenv("COLUMNS", "80")

    assert 80 > max(map(len, run(*argv).out.splitlines()))


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_a_test_of_its_exit_status(name: str) -> None:
    """A command whose exit status nobody tests fails here."""
    tests = (Path(__file__).parent / "test_cli_statuses.py").read_text(encoding="utf-8")

    assert re.search(rf'^    \(\[?"{name}\b', tests, re.MULTILINE)


def test_export_help_names_the_formats(run: Run) -> None:
    """The formats come from the export's own table."""
    assert "of the tables: parquet" in run("export", "--help").out


def test_export_help_names_the_variable_with_further_keys(run: Run) -> None:
    """There is no option for them either, so that nothing else on the command line tells of them."""
    assert "AEGIS_API_KEYS may hold further keys" in run("export", "--help").out


def test_version_is_printed(run: Run) -> None:
    """``--version`` gives the package's version."""
    assert (0, f"aegis-async {aegis_async.__version__}\n", "") == run("--version")


@pytest.mark.parametrize("argv", [["--help"], ["list", "--help"]])
def test_help_loads_nothing_slow(argv: list[str]) -> None:
    """Help and completion must not wait for the event loop, the HTTP client or pyarrow."""
    code = f"import sys; from aegis_async.cli import main; main({argv}); print(*sys.modules, file=sys.stderr)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours

    assert set() == set(SLOW) & set(done.stderr.split())
