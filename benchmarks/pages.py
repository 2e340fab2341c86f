"""``python -m benchmarks.pages``: puts the tables of the runs that are kept into the pages of the documentation.

A table stands between ``<!-- measured: PYTHON NAME -->`` or ``<!-- simulated: NAME -->``, and ``<!-- end -->``.
"""

import re
from pathlib import Path
from typing import Final

from benchmarks.cluster import kept
from benchmarks.cluster_tables import SIMULATED
from benchmarks.report import TABLES
from benchmarks.results import FOLDER, read

__all__ = ["PAGES", "filled"]

_ROOT: Final = Path(__file__).parents[1]
_DOCS: Final = _ROOT / "docs"
PAGES: Final = (_DOCS / "performance.md", _DOCS / "scale.md", _DOCS / "comparison.md", _ROOT / "README.md")
_PLACE: Final = re.compile(r"<!-- measured: (\S+) (\S+) -->\n.*?<!-- end -->", re.DOTALL)
_SIMULATED: Final = re.compile(r"<!-- simulated: (\S+) -->\n.*?<!-- end -->", re.DOTALL)


def filled(text: str) -> str:
    """Give a page with each table as the kept run says it."""
    return _SIMULATED.sub(_simulated, _PLACE.sub(_table, text))


def _table(place: re.Match[str]) -> str:
    python, name = place.groups()
    made = TABLES[name](read(FOLDER / f"{python}.json"))
    return f"<!-- measured: {python} {name} -->\n\n{made}\n\n<!-- end -->"


def _simulated(place: re.Match[str]) -> str:
    name = place[1]
    return f"<!-- simulated: {name} -->\n\n{SIMULATED[name](kept())}\n\n<!-- end -->"


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
