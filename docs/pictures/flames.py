"""Draws what ``python -m benchmarks.flames`` recorded: ``python -m docs.pictures.flames`` writes three SVG files.

A box is a function, as wide as its share of the processor's time; what it called stands on it. Ours are coloured.
"""

from collections import defaultdict
from collections.abc import Iterator
from html import escape
from operator import itemgetter
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.flames import FILE, Flames, Frame

__all__ = ["drawn", "heaviest"]

_WIDTH: Final = 1000.0
_ROW: Final = 15
_LETTER: Final = 5.6  # how wide one is on average
_PADDING: Final = 4
_OURS: Final = "aegis_async/"
_IMPORTING: Final = "_find_and_load "  # what an import calls is a high tower, and no work of ours
_COLOURS: Final = {True: "#f6a04d", False: "#d9dee5"}


def drawn(root: Frame) -> str:
    """Give the picture of a recording."""
    boxes = list(_boxes(root, 0.0, 0))
    rows = max(depth for _, _, depth in boxes) + 1
    shown = "\n".join(_box(frame, left, (rows - 1 - depth) * _ROW) for frame, left, depth in boxes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {rows * _ROW}" '
        f'font-family="sans-serif" font-size="10">\n{shown}\n</svg>\n'
    )


def heaviest(root: Frame, least: float) -> list[tuple[str, float]]:
    """Give our functions that take at least such a share themselves, without what they call."""
    own: defaultdict[str, float] = defaultdict(float)
    for frame in _all(root):
        own[frame.name] += frame.share - sum(inner.share for inner in frame.inner)
    ours = [(name, share) for name, share in own.items() if share >= least and _OURS in name]
    return sorted(ours, key=itemgetter(1), reverse=True)


def _all(root: Frame) -> Iterator[Frame]:
    for inner in root.inner:
        yield inner
        yield from _all(inner)


def _boxes(frame: Frame, left: float, depth: int) -> Iterator[tuple[Frame, float, int]]:
    for inner in () if frame.name.startswith(_IMPORTING) else frame.inner:
        yield inner, left, depth
        yield from _boxes(inner, left, depth + 1)
        left += inner.share * _WIDTH


def _box(frame: Frame, left: float, top: int) -> str:
    width = frame.share * _WIDTH
    letters = int((width - _PADDING) / _LETTER)
    name = frame.name.partition(" ")[0]
    text = escape(name if len(name) <= letters else name[: max(0, letters - 1)] + "…") if letters > 2 else ""  # noqa: PLR2004 - less says nothing
    return (
        f'<g><title>{escape(frame.name)}: {frame.share:.1%}</title><rect x="{left:.1f}" y="{top}" width="{width:.1f}" '
        f'height="{_ROW - 1}" fill="{_COLOURS[_OURS in frame.name]}"/>'
        f'<text x="{left + 2:.1f}" y="{top + _ROW - 4}">{text}</text></g>'
    )


def main() -> None:
    """Draw each, and print what of ours takes a twentieth or more."""
    for name, root in msgspec.json.decode(FILE.read_bytes(), type=Flames).items():
        Path(__file__).with_name(f"flame-{name}.svg").write_text(drawn(root), encoding="utf-8")
        for function, share in heaviest(root, 0.05):
            print(f"| {name} | `{function}` | {share:.1%} |")


if __name__ == "__main__":
    main()
