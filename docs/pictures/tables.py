"""Draws the tables of an export: ``python -m docs.pictures.tables`` writes the picture beside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from aegis_async.export import TABLES, Column, Table
from docs.pictures.drawing import ARROW, LINE, box, drawing, path, words

__all__ = ["FILE", "picture", "references"]

FILE: Final = Path(__file__).with_name("tables.svg")
_LINE: Final = 19
_WIDTH: Final = 272
_STEP: Final = 312
_HEAD: Final = 30
_PLACES: Final = {"collections": (0, 0), "datasets": (0, 1), "runs": (1, 0), "evaluations": (2, 0)}
"""The column of the picture, and the how many-th in it."""
_NAMES: Final = {table.name: table for table in TABLES}


def references(table: Table) -> dict[str, str]:
    """Give the columns that name a row of another table, and that table."""
    named = {f"{name.removesuffix('s')}_id": name for name in _NAMES}
    found = {column.name: named[column.name] for column in table.columns if column.name in named}
    return {column: other for column, other in found.items() if other != table.name}


def picture() -> str:
    """Give the picture as SVG."""
    parts = [part for table in TABLES for part in _table(table)]
    parts += [part for table in TABLES for part in _lines(table)]
    parts.append(
        words(
            14, _bottom() + 30, "Bold: the key. Gray: may be null. Every row joins to its collection by collection_id."
        )
    )
    return drawing("The tables of an export, their columns and keys", 14 + 3 * _STEP - 26, _bottom() + 46, parts)


def _corner(table: Table) -> tuple[int, int]:
    column, place = _PLACES[table.name]
    above = [_NAMES[name] for name, (other, at) in _PLACES.items() if other == column and at < place]
    return 14 + column * _STEP, 14 + sum(_height(each) + 24 for each in above)


def _height(table: Table) -> int:
    return _HEAD + _LINE * len(table.columns) + 8


def _bottom() -> int:
    return max(_corner(table)[1] + _height(table) for table in TABLES)


def _row(table: Table, column: str) -> int:
    at = [each.name for each in table.columns].index(column)
    return _corner(table)[1] + _HEAD + at * _LINE + _LINE // 2


def _table(table: Table) -> Iterator[str]:
    x, y = _corner(table)
    yield box(x, y, _WIDTH, _height(table))
    yield box(x, y, _WIDTH, _HEAD - 5, "blue")
    yield words(x + 10, y + 17, table.name, font_weight=600, font_size=14)
    for column in table.columns:
        yield from _column(table, column, x)


def _column(table: Table, column: Column, x: int) -> Iterator[str]:
    y = _row(table, column.name) + 4
    weight = 600 if column.name in table.key else 400
    yield words(x + 10, y, column.name, font_weight=weight, fill=LINE if column.nullable else "#1f2328")
    yield words(x + _WIDTH - 10, y, column.kind, text_anchor="end", fill=LINE, font_size=12)


def _lines(table: Table) -> Iterator[str]:
    """Draw the references to tables in the column beside it; all others go by `collection_id`."""
    for place, (column, other) in enumerate(references(table).items()):
        left, right = _PLACES[other][0], _PLACES[table.name][0]
        if right - left == 1:
            to = _NAMES[other]
            start, end = _row(table, column), _row(to, to.key[-1] if other != "collections" else "collection_id")
            x, turn = _corner(table)[0], _corner(table)[0] - 12 - 9 * (place % 3)
            yield path(f"M{x} {start}H{turn}V{end}H{_corner(to)[0] + _WIDTH + 2}")
            yield f'<circle cx="{x}" cy="{start}" r="3" fill="{ARROW}"/>'


if __name__ == "__main__":
    FILE.write_text(picture(), encoding="utf-8")
