"""What the drawn pictures share: boxes, words and arrows as SVG, in one style."""

from collections.abc import Iterable
from html import escape
from typing import Final

__all__ = ["ARROW", "FILLS", "LINE", "box", "drawing", "path", "words"]

FILLS: Final = {"plain": "#ffffff", "blue": "#cfe3f7", "green": "#d3efd0", "yellow": "#f9e3a8", "gray": "#f0f2f4"}
LINE: Final = "#57606a"
ARROW: Final = "#0969da"
_MARKER: Final = (
    f'<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    f'<path d="M0 0L8 4L0 8z" fill="{ARROW}"/></marker></defs>'
)


def drawing(title: str, width: int, height: int, parts: Iterable[str], size: int = 13) -> str:
    """Give the picture as SVG."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="{size}" fill="#1f2328">'
    )
    ground = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    return "\n".join([head, f"<title>{escape(title)}</title>", _MARKER, ground, *parts, "</svg>", ""])


def box(x: float, y: float, width: float, height: float, fill: str = "plain") -> str:
    """Give a rectangle with round corners."""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="5" fill="{FILLS[fill]}" stroke="{LINE}"/>'
    )


def words(x: float, y: float, said: str, **style: str | float) -> str:
    """Give a line of text; an underscore in the name of a style stands for a hyphen."""
    given = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return f'<text x="{x:g}" y="{y:g}"{given}>{escape(said)}</text>'


def path(commands: str, *, tip: bool = True) -> str:
    """Give a line, with a tip at its end."""
    end = ' marker-end="url(#tip)"' if tip else ""
    return f'<path d="{commands}" fill="none" stroke="{ARROW}" stroke-width="1.5"{end}/>'
