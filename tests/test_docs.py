"""The pages say what is there: every name, error, column and command, and pictures that are up to date."""

import re
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest

from aegis_async import errors
from aegis_async.cli import build_parser
from aegis_async.export import TABLES
from docs.generated import ANSWERS, PAGES, answers, commands, tables
from docs.llms import index, write
from docs.pictures import data_flow, modules, shifting_pages, terminal
from docs.pictures import tables as table_picture

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
WRITTEN = [page for page in DOCS.rglob("*.md") if "_build" not in page.parts]

_ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
_DRAWN = re.compile(r"^ *([│├└─ ]*)(\w+Error)\b", re.MULTILINE)
_SESSION = re.compile(r"^\| `([a-z-]+)` \|", re.MULTILINE)
_MODULE = re.compile(r"(?<!\w)_[a-z]\w*")


def test_the_page_of_errors_has_every_error() -> None:
    """Each public name of the errors has a row that says when it comes and what to do, and so does no other."""
    page = (DOCS / "errors.md").read_text(encoding="utf-8")

    assert sorted(errors.__all__) == sorted(_ROW.findall(page))


def test_the_page_of_errors_draws_the_tree_of_the_module() -> None:
    """Each error stands on the page at the depth and in the order in which the module's own drawing has it."""
    page = (DOCS / "errors.md").read_text(encoding="utf-8")

    shown, own = (_DRAWN.findall(text) for text in (page.partition("```text\n")[2].partition("```")[0], errors.__doc__))

    assert [(len(branch), name) for branch, name in own] == [(len(branch), name) for branch, name in shown]


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
    pages = [file.read_text(encoding="utf-8") for file in WRITTEN]

    assert dict.fromkeys(PAGES, 1) == {marker: sum(page.count(marker) for page in pages) for marker in PAGES}


@pytest.mark.parametrize(
    ("file", "picture"),
    [
        (shifting_pages.FILE, shifting_pages.picture),
        (data_flow.FILE, data_flow.picture),
        (modules.FILES["map"], modules.map_picture),
        (modules.FILES["imports"], modules.imports_picture),
        (table_picture.FILE, table_picture.picture),
    ],
    ids=lambda given: given.stem if isinstance(given, Path) else "",
)
def test_each_picture_is_what_its_script_draws(file: Path, picture: Callable[[], str]) -> None:
    """The committed picture is the one that the script beside it would write from the code as it is."""
    assert picture() == file.read_text(encoding="utf-8")


def test_the_map_shows_imports_that_point_one_way() -> None:
    """Read from the code, no module imports one of its own layer or of one above."""
    below = {name for row in modules.layers() for name in row}
    wrong = set[tuple[str, str]]()
    for row in modules.layers():
        below -= set(row)
        wrong |= {(name, other) for name in row for other in modules.imported(name) - below - set(modules.beside())}

    assert set() == wrong
    assert {"export", "_client"} <= modules.imported("dashboard")


def test_the_architecture_names_the_modules_that_are_there() -> None:
    """A module that the page names exists, and what it says of the inside of a package names each module in it."""
    package, page = ROOT / "aegis_async", (DOCS / "architecture.md").read_text(encoding="utf-8")
    there = {path.stem for path in package.rglob("*") if path.name != "__init__.py"}
    forgotten = dict[str, set[str]]()
    for section in page.split("\n## ")[1:]:
        inside = re.match(r"Inside `([^`]+)`", section)
        if inside:
            modules_in_it = {path.stem for path in (package / inside[1]).glob("_[a-z]*")}
            forgotten[inside[1]] = modules_in_it - set(_MODULE.findall(section))

    assert {"_pagination", "export", "export/_ray", "_fanout", "dashboard", "_spark"} == set(forgotten)
    assert set() == set[str]().union(*forgotten.values())
    assert set() == set(_MODULE.findall(page)) - there


def test_the_terminal_shows_what_stands_there_at_last() -> None:
    """A bar that is drawn over itself stands there once, with its last state; what is erased is gone."""
    bar = "\x1b[32m━\x1b[0m 1/3\r\x1b[2K\x1b[32m━━\x1b[0m 2/3"

    assert ["first", "\x1b[32m━━\x1b[0m 2/3"] == terminal.screen(f"first\n{bar}")
    assert ["done", ""] == terminal.screen(f"{bar}\n\x1b[1A\x1b[2Kdone\n")
    shown = unescape(terminal.drawn(["180/300 of it"], ["Complete: 10 files"])).replace("\N{NO-BREAK SPACE}", " ")
    assert "180/300 of it" in shown
    assert "Complete: 10 files" in shown
    assert "url(http" not in shown


def test_programs_find_every_page() -> None:
    """The list for programs has each page below a caption, and each with what it is about."""
    lines = [line for line in index(DOCS).splitlines() if line.startswith("- ")]

    linked = {line.partition("](")[2].partition(")")[0] for line in lines}
    files = (*WRITTEN, *DOCS.glob("reference/*.rst"))
    expected = {file.relative_to(DOCS).as_posix().replace(".rst", ".html") for file in files if file.name != "index.md"}
    assert expected | {"reference/index.md"} == linked
    assert [] == [line for line in lines if line.endswith(": ")]


def test_programs_read_the_pages_as_they_are_filled(tmp_path: Path) -> None:
    """Beside the HTML stands each page as Markdown, with what is generated or included and the pictures in place."""
    write(DOCS, tmp_path, lambda text: text.replace("<!-- generated: tables -->", "the tables"))

    pages = {page.relative_to(tmp_path).as_posix(): page.read_text(encoding="utf-8") for page in tmp_path.rglob("*.md")}
    assert [] == [name for name, text in pages.items() if re.search(r"```\{|\]\((?:pictures|_static)/", text)]
    assert (ROOT / "examples" / "airflow_dag.py").read_text(encoding="utf-8") in pages["airflow-dagster.md"]
    assert "](_images/data-flow.svg)" in pages["architecture.md"]
    assert "the tables" in (tmp_path / "schema.md").read_text(encoding="utf-8")
    assert (tmp_path / "llms.txt").read_text(encoding="utf-8").startswith("# aegis_async\n\n> ")
    assert (tmp_path / "guides" / "bulk-export.md").is_file()


def test_the_figures_of_the_readme_are_those_of_the_pages() -> None:
    """What the README says in figures stands in the page that it names."""
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    drift, beside = ((DOCS / name).read_text(encoding="utf-8") for name in ("completeness.md", "performance.md"))
    repaired = re.findall(r"^\| [\d.]+ \| (\d+) \| (\d+) \| \d+ \| \d+ \| [\d.]+ \|$", drift, re.MULTILINE)

    assert "| 0.05 | 44.2 % |" in drift
    assert "44.2 %" in readme
    assert f"Of {sum(int(complete) for complete, _ in repaired):,} listings" in readme
    assert {"0"} == {missed for _, missed in repaired}
    rows = re.findall(r"^\| (?:alone|beside `get_many`).* \| ([\d.]+) \|$", beside, re.MULTILINE)
    alone, together = map(float, rows)
    assert f"longer than {together} ms, and {alone} ms alone" in readme
    seconds, peak = re.findall(r"took ([\d.]+) s of CPU time and (\d+) MiB at its peak", readme)[0]
    assert f"{seconds} s of CPU time at most" in beside
    assert f"and {peak} MiB at most" in beside
    times = re.findall(r"takes ([\d.]+) times the CPU time", readme)[0]
    assert f": {times} times as much" in beside


def test_the_pages_name_the_pythons_that_are_tested() -> None:
    """Wherever a page says from which Python to which, these are the first and the last of the classifiers."""
    pythons = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    texts = [page.read_text(encoding="utf-8") for page in (ROOT / "README.md", *WRITTEN)]

    said = [found for text in texts for found in re.findall(r"Python (3\.\d+) to (3\.\d+)", text)]

    assert [(pythons[0], pythons[-1])] * 5 == said


def test_every_nox_session_is_explained_and_those_by_default_are_run_by_ci() -> None:
    """CONTRIBUTING has a row for each session, and `.ci/run` begins those that nox runs by itself, in their order."""
    contributing, noxfile, ci = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("CONTRIBUTING.md", "noxfile.py", ".ci/run")
    )

    sessions = re.findall(r"^@nox\.session.*\ndef (\w+)", noxfile, re.MULTILINE)
    default = re.findall(r'"([\w-]+)"', noxfile.partition("nox.options.sessions = ")[2].partition("]")[0])
    assert sorted(name.replace("_", "-") for name in sessions) == sorted(_SESSION.findall(contributing))
    assert default == re.findall(r"^for session in (.+); do$", ci, re.MULTILINE)[0].split()


def _parsers(parser: ArgumentParser) -> Iterator[tuple[str, list[str]]]:
    yield parser.prog, [option for action in parser._actions for option in action.option_strings]
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for one in action.choices.values():
                yield from _parsers(one)
