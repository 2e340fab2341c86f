"""Draws how pages shift under a reader: ``python -m docs.pictures.shifting_pages`` writes the picture beside it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

__all__ = ["FILE", "picture"]

FILE: Final = Path(__file__).with_name("shifting-pages.svg")

_SIZE: Final = 3  # items on a page
_BOX: Final = 40
_STEP: Final = _BOX + 4
_GAP: Final = 14  # between two pages
_LEFT: Final = 24
_WIDTH: Final = 470
_FILLS: Final = {"plain": "#ffffff", "read": "#cfe3f7", "lost": "#f6c9c4", "twice": "#f9e3a8", "new": "#d3efd0"}


@dataclass(frozen=True)
class Row:
    """The listing at one moment.

    Attributes:
        title: What happens.
        items: What is listed, in order.
        page: The page that is read at this moment.
        marks: Items that are drawn in a fill of their own.
    """

    title: str
    items: str
    page: int
    marks: dict[str, str]


@dataclass(frozen=True)
class Story:
    """Two moments, and how it ends.

    Attributes:
        rows: The moments.
        end: What the reader has got.
    """

    rows: Sequence[Row]
    end: str


_STORIES: Final = (
    Story(
        (
            Row("The reader asks for page 1.", "ABCDEFGH", 1, {}),
            Row("B is deleted. The reader asks for page 2.", "ACDEFGH", 2, {"D": "lost"}),
        ),
        "D moved onto a page already read: never seen.",
    ),
    Story(
        (
            Row("The reader asks for page 1.", "ABCDEFGH", 1, {}),
            Row("N is created. The reader asks for page 2.", "NABCDEFGH", 2, {"N": "new", "C": "twice"}),
        ),
        "C moved onto page 2: it comes twice.",
    ),
)


def picture() -> str:
    """Give the picture as SVG."""
    parts = [part for number, story in enumerate(_STORIES) for part in _story(story, _LEFT + number * _WIDTH)]
    width, height = _LEFT + len(_STORIES) * _WIDTH, 250
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="15" fill="#1f2328">'
    )
    title = "<title>How a deletion hides an item from a reader, and an insertion shows one twice</title>"
    return "\n".join([head, title, f'<rect width="{width}" height="{height}" fill="#ffffff"/>', *parts, "</svg>", ""])


def _story(story: Story, left: int) -> Iterator[str]:
    for number, row in enumerate(story.rows):
        yield from _row(row, left, 34 + 100 * number)
    yield _text(left, 232, story.end, bold=True)


def _row(row: Row, left: int, top: int) -> Iterator[str]:
    yield _text(left, top, row.title)
    for position, item in enumerate(row.items):
        page, x = position // _SIZE + 1, left + position * _STEP + position // _SIZE * _GAP
        fill = _FILLS[row.marks.get(item, "read" if page == row.page else "plain")]
        yield f'<rect x="{x}" y="{top + 12}" width="{_BOX}" height="{_BOX}" rx="5" fill="{fill}" stroke="#57606a"/>'
        yield f'<text x="{x + _BOX // 2}" y="{top + 38}" text-anchor="middle">{escape(item)}</text>'
    start = left + (row.page - 1) * (_SIZE * _STEP + _GAP)
    end = start + _SIZE * _STEP - 4
    yield f'<path d="M{start} {top + 58}v5H{end}v-5" fill="none" stroke="#0969da" stroke-width="2"/>'


def _text(x: int, y: int, words: str, *, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x}" y="{y}"{weight}>{escape(words)}</text>'


if __name__ == "__main__":
    FILE.write_text(picture(), encoding="utf-8")
