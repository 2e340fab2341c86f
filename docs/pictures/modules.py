"""Draws the module map and who imports whom: ``python -m docs.pictures.modules`` writes two pictures beside it.

The layers are those that import-linter checks, in ``pyproject.toml``; the sentences are those that the modules begin
with; the imports are read from the code.
"""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from docs.pictures.drawing import ARROW, LINE, box, drawing, words

__all__ = ["FILES", "beside", "imported", "imports_picture", "layers", "map_picture"]

_ROOT: Final = Path(__file__).parents[2]
_PACKAGE: Final = "aegis_async"
FILES: Final = {
    "map": Path(__file__).with_name("modules.svg"),
    "imports": Path(__file__).with_name("imports.svg"),
}
_LINE: Final = 24
_GAP: Final = 10
_NAMES: Final = 124
_CELL: Final = 21


def layers() -> list[list[str]]:
    """Give the layers from top to bottom, each with its modules."""
    return [row.split(" | ") for row in _contract()["layers"]]


def beside() -> list[str]:
    """Give the modules that stand beside the layers."""
    return list(_contract()["exhaustive_ignores"])


def imported(module: str) -> set[str]:
    """Give the modules of the package that a module imports, wherever in its code."""
    known = {name for row in layers() for name in row} | set(beside())
    found = {part for file in _files(module) for part in _targets(ast.parse(file.read_text(encoding="utf-8")))}
    return (found & known) - {module}


def map_picture() -> str:
    """Give the map: a band for each layer, a line for each module."""
    parts, y = [words(14, 26, "Imports point downwards only. Names in one band know nothing of each other.")], 40
    for row in (*layers(), beside()):
        if row == beside():
            y += 26
            parts.append(words(14, y - 8, "Beside them:"))
        parts += _band(row, y)
        y += _LINE * len(row) + _GAP + 6
    return drawing("The modules of the package in their layers", 930, y, parts)


def imports_picture() -> str:
    """Give the matrix: a mark where the module of the row imports that of the column."""
    names = [name for row in layers() for name in row] + beside()
    top, left = 118, 130
    parts = list(_heads(names, left, top))
    for at, name in enumerate(names):
        y, used = top + at * _CELL, imported(name)
        parts.append(words(left - 8, y + 15, name, text_anchor="end"))
        for place, other in enumerate(names):
            fill = "blue" if other in used else "gray" if place == at else "plain"
            parts.append(_cell(left + place * _CELL, y, fill))
    size = len(names) * _CELL
    return drawing("Which module imports which", left + size + 30, top + size + 14, parts)


def _band(row: list[str], y: int) -> Iterator[str]:
    height = _LINE * len(row) + _GAP - 4
    yield box(8, y, 914, height, "gray")
    for place, name in enumerate(row):
        at = y + 3 + place * _LINE
        yield box(14, at, _NAMES, _LINE - 4, "blue")
        yield words(14 + _NAMES / 2, at + 15, name, text_anchor="middle", font_weight=600)
        yield words(14 + _NAMES + 12, at + 15, _sentence(name))


def _heads(names: list[str], left: int, top: int) -> Iterator[str]:
    yield words(14, 22, "A mark: the module of the row imports that of the column.")
    yield words(14, 40, "Below the diagonal it would point upwards; the last three stand beside the layers.", fill=LINE)
    for place, name in enumerate(names):
        x = left + place * _CELL + 15
        yield words(x, top - 6, name, transform=f"rotate(-60 {x} {top - 6})", font_size=12)


def _cell(x: float, y: float, fill: str) -> str:
    colour = {"blue": ARROW, "gray": "#d0d7de", "plain": "#ffffff"}[fill]
    return f'<rect x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" fill="{colour}" stroke="#d0d7de"/>'


def _contract() -> dict[str, list[str]]:
    settings = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    found: dict[str, list[str]] = next(each for each in contracts if each["type"] == "layers")
    return found


def _files(module: str) -> list[Path]:
    folder = _ROOT / _PACKAGE / module
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def _sentence(module: str) -> str:
    folder = _ROOT / _PACKAGE / module
    file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return said.partition("\n")[0].rstrip(".").replace("``", "")


def _targets(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == _PACKAGE:
            parts = (node.module or "").split(".")
            yield from parts[1:2] or [name.name for name in node.names]
        elif isinstance(node, ast.Import):
            yield from (name.name.split(".")[1] for name in node.names if name.name.startswith(f"{_PACKAGE}."))


if __name__ == "__main__":
    FILES["map"].write_text(map_picture(), encoding="utf-8")
    FILES["imports"].write_text(imports_picture(), encoding="utf-8")
