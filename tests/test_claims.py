"""Claims about the code itself: sizes, and how tests are written."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import TypeAlias

import pytest

ROOT = Path(__file__).parents[1]
CODE = [path for folder in ("aegis_async", "benchmarks", "docs") for path in sorted((ROOT / folder).rglob("*.py"))]
TESTS = sorted((ROOT / "tests").rglob("*.py"))

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def named(path: Path) -> str:
    """Give a file's name for the list of tests."""
    return path.relative_to(ROOT).as_posix()


def parsed(path: Path) -> ast.Module:
    """Give a file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[Function]:
    """Give every function and method of a file."""
    return (node for node in ast.walk(parsed(path)) if isinstance(node, Function))


def body_lines(function: Function) -> int:
    """Give the lines of a function's body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body and body[-1].end_lineno else 0


def sleeps(path: Path) -> Iterator[str]:
    """Give the calls of a file that wait for a time."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "asyncio.sleep", "sleep"}:
            call = ast.unparse(node)
            if not call.endswith("sleep(0)"):
                yield call


@pytest.mark.parametrize("path", CODE, ids=named)
def test_files_are_small(path: Path) -> None:
    """No file of code has more than 400 lines, and it opens with what it is."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    assert ast.get_docstring(parsed(path))


def test_functions_are_short() -> None:
    """Half of all functions have fewer than 10 lines in their body, and none has more than 45."""
    lengths = {f"{named(path)}: {each.name}": body_lines(each) for path in CODE for each in functions(path)}

    assert median(lengths.values()) < 10
    assert {} == {name: length for name, length in lengths.items() if length > 45}


@pytest.mark.parametrize("path", TESTS, ids=named)
def test_every_test_states_its_claim(path: Path) -> None:
    """Each test has a docstring that ends as a sentence does."""
    tests = [each for each in functions(path) if each.name.startswith("test_")]

    assert [] == [each.name for each in tests if not (ast.get_docstring(each) or "").endswith((".", "?", ")"))]


@pytest.mark.parametrize("path", TESTS, ids=named)
def test_no_test_waits_for_a_time(path: Path) -> None:
    """Tests order things by events; the only sleep is that of zero, a turn of the loop."""
    assert [] == list(sleeps(path))
