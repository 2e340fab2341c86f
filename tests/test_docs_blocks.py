"""Every block of code of the pages does what the page says."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aegis_async.sandbox import Sandbox
from docs.blocks import DOCS, GUIDES, ROOT, Block, blocks, pages
from docs.follow import DidNotHoldError, follow
from docs.run_block import run

_CLUSTERS = {"ray": pytest.mark.ray, "spark": pytest.mark.spark}  # pages whose blocks need one, in nox sessions
_ELSEWHERE = {"docs/postgresql.md"}  # with a database, in tests/export/test_export_docs.py
_SHOWN = {"text", "sql"}  # drawings, what is printed, and queries that tests/export/test_export_docs.py asks
_PORT = "8765"  # of the guides; two suites at once need another one each


def _is_followed(page: Path) -> bool:
    """A page with commands is followed from top to bottom; on others each block stands by itself."""
    return page in GUIDES or any(block.language == "sh" and not block.mark for block in blocks(page))


def _alone() -> Iterator[object]:
    for page in pages():
        if not _is_followed(page):
            for block in blocks(page):
                if block.language == "python" and not block.mark:
                    yield pytest.param(block.code, id=f"{block.page}:{block.line}", marks=_marks(page))


def _followed() -> Iterator[object]:
    for page in pages():
        if _is_followed(page) and page.relative_to(ROOT).as_posix() not in _ELSEWHERE:
            yield pytest.param(page, id=page.stem, marks=_marks(page))


def _marks(page: Path) -> list[pytest.MarkDecorator]:
    return [_CLUSTERS[page.stem]] if page.stem in _CLUSTERS else []


@pytest.fixture
def in_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to be in, and the two variables set to a sandbox's."""
    monkeypatch.chdir(tmp_path)
    with Sandbox() as sandbox:
        for name, value in sandbox.env.items():
            monkeypatch.setenv(name, value)
        yield tmp_path


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands be those of this interpreter, and its pytest be that of somebody with no other plugin."""
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:asyncio")


@pytest.mark.parametrize("code", tuple(_alone()))
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
    run(code)


@pytest.mark.build  # a minute and more for all of them; `nox -s docs` has them
@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("page", tuple(_followed()))
def test_every_page_with_commands_can_be_followed(page: Path, in_trial: Path) -> None:
    """From top to bottom its commands, files and blocks do what it says, and print what it shows."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])

    count = follow(page, in_trial, os.environ, replaced={_PORT: port})

    assert count >= 1


def test_every_block_is_run_or_says_why_not() -> None:
    """What no test runs is counted here, with its reason on the page; README's commands are those of `.ci/run`."""
    every = [block for page in pages() for block in blocks(page)]
    not_run = [block for block in every if block.mark == "not run"]

    assert 10 == len(not_run)
    assert all(len(block.said) > 10 for block in not_run)
    assert ["demo", "tests"] == [block.said for block in every if block.mark == "command"]
    made = [block.mark for block in every if block.language == "sh" and "-m venv" in block.code]
    assert {"environment", "command"} == set(made)
    assert set() == {block.language for block in every} - {"python", "sh"} - _SHOWN


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_fence_begins_or_ends_a_block(page: Path) -> None:
    """None is indented or without a language: such a block would be looked past, and never run."""
    text = page.read_text(encoding="utf-8")

    known = len(list(blocks(page))) + text.count("\n```{")

    assert 2 * known == len(re.findall(r"^ *`{3,}", text, re.MULTILINE))


def test_what_is_shown_as_code_from_a_file_is_an_example() -> None:
    """A page includes only files of the folder of examples, which have tests of their own."""
    for page in (page for page in DOCS.rglob("*.md") if "_build" not in page.parts):
        for line in page.read_text(encoding="utf-8").splitlines():
            if line.startswith("```{literalinclude}"):
                assert (page.parent / line.split()[1]).resolve().parent == ROOT / "examples"


PAGE = """\
<!-- file: said.txt -->
```text
good morning
```

```sh
greeting=$(cat said.txt)
```

```python
import asyncio
await asyncio.sleep(0)
print("hello")
```

<!-- prints -->
```text
h…o
```

```sh
echo "$greeting"
```

<!-- prints -->
```text
good morning
```
"""


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("docs.blocks.ROOT", tmp_path)
    return tmp_path / "page.md"


@pytest.mark.usefixtures("here")
def test_a_page_is_followed_in_one_shell(page: Path, tmp_path: Path) -> None:
    """Files are written, variables kept, Python may await at its top, and what is printed is what is shown."""
    page.write_text(PAGE, encoding="utf-8")

    assert 6 == follow(page, tmp_path, os.environ, package="no such package")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("right", "wrong", "where"),
    [
        ("h…o", "h…a", "page.md:17: the block of line 10 prints\nhello"),
        ('echo "$greeting"', 'echo "$greetings"', "page.md:21: ended with 1"),
        ("good morning\n```\n", "good evening\n```\n", "page.md:26: the block of line 21 prints\ngood evening"),
    ],
)
def test_a_page_that_does_not_hold_says_where(page: Path, tmp_path: Path, right: str, wrong: str, where: str) -> None:
    """Another output than the shown one, and a command that fails, are named by their line."""
    page.write_text(PAGE.replace(right, wrong, 1), encoding="utf-8")

    with pytest.raises(DidNotHoldError) as caught:
        follow(page, tmp_path, os.environ, package="no such package")

    assert str(caught.value).startswith(where)


def test_a_mark_that_nobody_knows_is_refused(page: Path) -> None:
    """A slip of the pen in a comment must not leave a block unrun."""
    page.write_text("<!-- note run: later -->\n```sh\nfalse\n```\n", encoding="utf-8")

    with pytest.raises(ValueError, match="page.md:2: a block is one of file, prints"):
        list(blocks(page))


def test_a_block_knows_its_place(page: Path) -> None:
    """Line, language, mark and what the mark says are those of the page."""
    page.write_text("# Title\n\n<!-- file: app.py -->\n```python\nx = 1\n```\n", encoding="utf-8")

    assert [Block("page.md", 4, "python", "x = 1\n", "file", "app.py")] == list(blocks(page))
