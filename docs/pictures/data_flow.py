"""Draws the way of the data: ``python -m docs.pictures.data_flow`` writes the picture beside it.

Each module in it is one of the layers that import-linter checks, or the picture is not drawn.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from docs.pictures.drawing import box, drawing, path, words
from docs.pictures.modules import layers

__all__ = ["ARROWS", "FILE", "PLACES", "picture"]

FILE: Final = Path(__file__).with_name("data-flow.svg")
_COLUMN: Final = 204
_ROW: Final = 92
_WIDTH: Final = 126
_HEIGHT: Final = 46

PLACES: Final = {
    "the service": (0, 1),
    "_session": (1, 1),
    "_decode": (2, 1),
    "_pagination": (3, 0),
    "_fanout": (3, 2),
    "your program": (4, 0),
    "export": (4, 2),
    "_limits": (1, 0),
    "_retry": (1, 2),
    "_cache": (2, 0),
    "dashboard": (4, 1),
    "files, databases": (4, 3),
}
"""Where each stands: column and row."""

_OUTSIDE: Final = {"the service": "yellow", "your program": "green", "files, databases": "green"}

ARROWS: Final = (
    ("the service", "_session", "bytes"),
    ("_session", "_decode", "body"),
    ("_decode", "_pagination", "pages"),
    ("_decode", "_fanout", "collections"),
    ("_pagination", "_fanout", "ids"),
    ("_pagination", "your program", "items"),
    ("_fanout", "export", ""),
    ("_fanout", "dashboard", "in full"),
    ("export", "files, databases", "batches"),
    ("_limits", "_session", "when"),
    ("_retry", "_session", "whether again"),
    ("_decode", "_cache", "kept"),
)


def picture() -> str:
    """Give the picture as SVG.

    Raises:
        LookupError: A module in it is none of the layers.
    """
    known = {name for row in layers() for name in row}
    strange = set(PLACES) - set(_OUTSIDE) - known
    if strange:
        raise LookupError(f"no layer has {', '.join(sorted(strange))}")
    parts = [part for name in PLACES for part in _place(name)]
    parts += [part for arrow in ARROWS for part in _arrow(*arrow)]
    return drawing("The way of the data from the service to a program, a page and files", 970, 360, parts)


def _corner(name: str) -> tuple[float, float]:
    column, row = PLACES[name]
    return 14 + column * _COLUMN, 16 + row * _ROW


def _place(name: str) -> Iterator[str]:
    x, y = _corner(name)
    yield box(x, y, _WIDTH, _HEIGHT, _OUTSIDE.get(name, "blue"))
    yield words(x + _WIDTH / 2, y + 28, name, text_anchor="middle", font_weight=600)


def _arrow(start: str, end: str, said: str) -> Iterator[str]:
    (x, y), (to_x, to_y) = _corner(start), _corner(end)
    middle, to_middle = y + _HEIGHT / 2, to_y + _HEIGHT / 2
    if x == to_x:
        down = to_y > y
        yield path(f"M{x + _WIDTH / 2:g} {y + _HEIGHT * down:g}V{to_y + _HEIGHT * (not down) + (-2 if down else 2):g}")
        yield words(x + _WIDTH / 2 + 8, (y + to_y + _HEIGHT) / 2 + 4, said, font_size=12)
        return
    left, right = x + _WIDTH, to_x
    turn = (left + right) / 2
    yield path(f"M{left:g} {middle:g}H{turn:g}V{to_middle:g}H{right - 2:g}")
    if y == to_y:
        yield words(turn, middle - 6, said, text_anchor="middle", font_size=12)
    else:
        yield words(turn + 6, (middle + to_middle) / 2 + 4, said, font_size=12)


if __name__ == "__main__":
    FILE.write_text(picture(), encoding="utf-8")
