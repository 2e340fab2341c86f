"""The pages say what is there: every name, error, column and command, and code that runs."""

import ast
import asyncio
import inspect
import os
import re
import subprocess
import sys
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from aegis_async import errors
from aegis_async.cli import build_parser
from aegis_async.export import TABLES
from aegis_async.sandbox import Sandbox
from docs.generated import ANSWERS, PAGES, answers, commands, tables
from docs.pictures import shifting_pages

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PUBLIC = (
    "aegis_async",
    "aegis_async.models",
    "aegis_async.errors",
    "aegis_async.export",
    "aegis_async.dashboard",
    "aegis_async.sandbox",
)

_ENTRY = re.compile(r"^\.\. (?:auto|py:)(?!module)\w+:: (\w+)", re.MULTILINE)
_ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_RUNNABLE = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


def blocks() -> Iterator[object]:
    """Yield every block of Python of the README and of the pages, named by file and line."""
    for file in (ROOT / "README.md", *sorted(DOCS.rglob("*.md"))):
        text = file.read_text(encoding="utf-8")
        for found in _BLOCK.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            marks = [pytest.mark.spark] if file.stem == "spark" else []
            yield pytest.param(found[1], id=f"{file.relative_to(ROOT)}:{line}", marks=marks)


@pytest.fixture
def in_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to be in, and the two variables set to a sandbox's."""
    monkeypatch.chdir(tmp_path)
    with Sandbox() as sandbox:
        for name, value in sandbox.env.items():
            monkeypatch.setenv(name, value)
        yield tmp_path


@pytest.mark.parametrize("code", tuple(blocks()))
def test_every_block_runs_as_it_stands(code: str, in_trial: Path) -> None:
    """A block of Python, pasted into a notebook or, where it is a test, into a file, does its work without an error."""
    if "def test_" in code:
        file = in_trial / "test_block.py"
        file.write_text(code, encoding="utf-8")
        done = subprocess.run(  # noqa: S603 - our own page
            [sys.executable, "-m", "pytest", "-q", file.name], capture_output=True, text=True, check=False
        )
        assert "1 passed" in done.stdout, done.stdout + done.stderr
        return
    if "SparkSession" in code:  # Java takes the environment of its first session, and keeps it
        alone = [sys.executable, "-c", code]
        local = {"PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
        subprocess.run(alone, check=True, env={**os.environ, **local})  # noqa: S603 - likewise
        return
    result = eval(compile(code, "<block>", "exec", flags=_RUNNABLE), {"__name__": "__main__"})  # noqa: S307 - likewise
    if inspect.iscoroutine(result):
        asyncio.run(result)


@pytest.mark.parametrize("module", PUBLIC)
def test_the_reference_has_every_public_name(module: str) -> None:
    """Each name of ``__all__`` stands in the reference once, and no other does."""
    page = DOCS / "reference" / f"{module.removeprefix('aegis_async.')}.rst"

    found = _ENTRY.findall(page.read_text(encoding="utf-8"))

    assert sorted(import_module(module).__all__) == sorted(found)


def test_the_page_of_errors_has_every_error() -> None:
    """Each public name of the errors has a row that says when it comes and what to do, and so does no other."""
    page = (DOCS / "errors.md").read_text(encoding="utf-8")

    assert sorted(errors.__all__) == sorted(_ROW.findall(page))


def test_the_tables_have_every_column() -> None:
    """The page of the export shows each table with each column in its order."""
    shown = tables().split("### ")[1:]

    assert [table.name for table in TABLES] == [part.partition("\n")[0] for part in shown]
    assert [[c.name for c in table.columns] for table in TABLES] == [_ROW.findall(part) for part in shown]


def test_the_answers_of_the_dashboard_have_every_field() -> None:
    """The page of the dashboard shows each shape of an answer with each field, and says what it is."""
    shown = answers().split("### ")[1:]

    assert [shape.__name__ for shape in ANSWERS] == [part.partition("\n")[0] for part in shown]
    assert [list(shape.__struct_fields__) for shape in ANSWERS] == [_ROW.findall(part) for part in shown]


def test_the_page_of_the_commands_has_every_option() -> None:
    """The command line's page shows each command under a heading, with each of its options."""
    shown = {part.partition("\n")[0]: part for part in commands().split("## ")[1:]}

    expected = dict(_parsers(build_parser()))
    assert list(expected) == list(shown)
    missing = {(name, option) for name, options in expected.items() for option in options if option not in shown[name]}
    assert set() == missing


def test_every_generated_part_is_on_a_page() -> None:
    """Each marker stands on one page, or what it stands for would be shown nowhere."""
    pages = [file.read_text(encoding="utf-8") for file in DOCS.rglob("*.md")]

    assert dict.fromkeys(PAGES, 1) == {marker: sum(page.count(marker) for page in pages) for marker in PAGES}


def test_the_picture_is_what_its_script_draws() -> None:
    """The committed picture is the one that the script beside it would write."""
    assert shifting_pages.picture() == shifting_pages.FILE.read_text(encoding="utf-8")


def _parsers(parser: ArgumentParser) -> Iterator[tuple[str, list[str]]]:
    yield parser.prog, [option for action in parser._actions for option in action.option_strings]
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for one in action.choices.values():
                yield from _parsers(one)
