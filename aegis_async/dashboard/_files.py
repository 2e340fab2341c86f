"""The files of the page: a fixed table, read once, so that no path of a request ever reaches the disk."""

from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

__all__ = ["CHARTS", "LICENCE", "PAGE", "SCRIPTS", "STYLES", "File", "page_files", "text_of"]

PAGE: Final = "index.html"
STYLES: Final = ("vendor/uplot.css", "style.css")
SCRIPTS: Final = (
    "format.js",
    "dom.js",
    "questions.js",
    "charts.js",
    "heatmap.js",
    "tables.js",
    "drill.js",
    "banner.js",
    "main.js",
)
"""The page's modules, each after those that it imports."""
CHARTS: Final = "vendor/uplot.js"
LICENCE: Final = "vendor/uplot-LICENSE.txt"

_KINDS: Final = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "svg": "image/svg+xml",
}


class File(NamedTuple):
    """One file as it is served.

    Attributes:
        body: Its bytes.
        kind: Its ``Content-Type``.
    """

    body: bytes
    kind: str


@cache
def page_files() -> dict[str, File]:
    """Give every file of the page by its name."""
    names = (PAGE, *STYLES, *SCRIPTS, CHARTS, LICENCE, "icon.svg")
    return {name: File(_read(name), _KINDS[name.rpartition(".")[2]]) for name in names}


def text_of(name: str) -> str:
    """Give one of the files as text."""
    return page_files()[name].body.decode()


def _read(name: str) -> bytes:
    return files("aegis_async.dashboard").joinpath("static", *name.split("/")).read_bytes()
