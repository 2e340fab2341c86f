"""Claims about the code itself: sizes, types left open, ignores, and how tests are written."""

import ast
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median, quantiles
from typing import TypeAlias

ROOT = Path(__file__).parents[1]
CODE = [path for folder in ("aegis_async", "benchmarks", "docs") for path in sorted((ROOT / folder).rglob("*.py"))]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MOST_OPEN = 3.0  # in a thousand lines, most of them where a caller's own types are decoded
PACKAGE = [path for path in CODE if path.is_relative_to(ROOT / "aegis_async")]

# An ignore names its rule, and two spaces or a dash later says why it is right here.
_IGNORE = re.compile(r"#\s*(?:noqa|type: ignore|pyright: ignore|pragma: no cover).*")
_WITH_REASON = re.compile(r"# (?:noqa: [A-Z]+\d+(?:, [A-Z]+\d+)*|type: ignore\[[a-z, -]+\])(?: - |  # )\S.*")
# What fails by itself, where what is claimed is that nothing does: a checker of shapes or of types, or a warning.
_ASSERTING = re.compile(
    r"\bassert|pytest\.(?:raises|warns|fail)|call_and_validate|fnmatch_lines|_complains|_expect|expect_"
)

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def named(path: Path) -> str:
    """Give a file's name for the list of tests."""
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    """Give a file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def functions(path: Path) -> list[Function]:
    """Give every function and method of a file."""
    return [node for node in ast.walk(parsed(path)) if isinstance(node, Function)]


def is_test(function: Function) -> bool:
    """Tell whether a function is a test."""
    return function.name.startswith("test_")


@cache
def lines_of(path: Path) -> int:
    """Count a file's lines."""
    return len(path.read_text(encoding="utf-8").splitlines())


def body_lines(function: Function) -> int:
    """Give the lines of a function's body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body and body[-1].end_lineno else 0


def reasonless(path: Path) -> Iterator[str]:
    """Give the ignores of a file that have no reason beside them."""
    with tokenize.open(path) as file:
        comments = [each.string for each in tokenize.generate_tokens(file.readline) if each.type == tokenize.COMMENT]
    return (each for each in comments if _IGNORE.match(each) and not _WITH_REASON.match(each))


def claimless(path: Path) -> Iterator[str]:
    """Give the tests of a file in which nothing can fail, nor in a helper of the file that they call."""
    bodies = {each: ast.unparse(each) for each in functions(path)}
    asserting = {each for each, body in bodies.items() if _ASSERTING.search(body)}
    helpers = {each.name for each in asserting if not is_test(each)}
    for each in filter(is_test, bodies.keys() - asserting):
        if helpers.isdisjoint(re.findall(r"\w+", bodies[each].partition(":")[2])):
            yield each.name


def sleeps(path: Path) -> Iterator[str]:
    """Give the calls of a file that wait for a time."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "asyncio.sleep", "sleep"}:
            call = ast.unparse(node)
            if not call.endswith("sleep(0)"):
                yield call


def test_files_are_small() -> None:
    """No file, tests included, has more than 400 lines, and it opens with what it is."""
    assert [] == [named(path) for path in (*CODE, *TESTS) if lines_of(path) > 400]
    assert [] == [named(path) for path in (*CODE, *TESTS) if not ast.get_docstring(parsed(path))]


def test_most_files_are_smaller_yet() -> None:
    """Half of all files have fewer than 180 lines."""
    assert median(map(lines_of, CODE)) < 180


def test_functions_are_short() -> None:
    """Half of all functions have at most 9 lines in their body, nine in ten at most 25, and none more than 45."""
    lengths = {f"{named(path)}: {each.name}": body_lines(each) for path in CODE for each in functions(path)}

    assert median(lengths.values()) <= 9
    assert quantiles(lengths.values(), n=10)[-1] <= 25
    assert {} == {name: length for name, length in lengths.items() if length > 45}


def test_few_types_are_left_open() -> None:
    """The package says ``Any`` three times in a thousand lines at most."""
    lines = sum(map(lines_of, PACKAGE))
    said = [
        path for path in PACKAGE for node in ast.walk(parsed(path)) if isinstance(node, ast.Name) and node.id == "Any"
    ]

    assert len(said) * 1000 / lines <= MOST_OPEN, Counter(map(named, said)).most_common(8)


def test_every_ignore_says_why() -> None:
    """What is switched off on a line is named, with the reason beside it."""
    assert [] == [f"{named(path)}: {each}" for path in (*CODE, *TESTS) for each in reasonless(path)]


def test_every_test_states_its_claim() -> None:
    """Each test has a docstring that ends as a sentence does."""
    tests = {f"{named(path)}: {each.name}": each for path in TESTS for each in functions(path) if is_test(each)}

    assert [] == [name for name, each in tests.items() if not (ast.get_docstring(each) or "").endswith((".", "?", ")"))]


def test_every_test_asserts() -> None:
    """Each test, or a helper of its file that it calls, can fail for what it claims."""
    assert [] == [f"{named(path)}: {each}" for path in TESTS for each in claimless(path)]


def test_no_test_waits_for_a_time() -> None:
    """Tests order things by events; the only sleep is that of zero, a turn of the loop."""
    assert [] == [f"{named(path)}: {each}" for path in TESTS for each in sleeps(path)]
