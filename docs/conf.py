"""How Sphinx builds these pages: offline, from this folder and the package's docstrings."""

import re
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from aegis_async import __version__

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the module beside this file

from docs.generated import PAGES
from docs.llms import write

project = "aegis_async"
author = "The aegis_async developers"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_show_copyright = False
pygments_dark_style = "github-dark"  # the theme's own underlines names of modules, as if they were links
html_title = f"aegis_async {release}"

myst_heading_anchors = 3
napoleon_use_ivar = True  # as targets, two attributes `bytes` would make every `bytes` ambiguous
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
default_role = "py:obj"

nitpicky = True
nitpick_ignore_regex = [
    (
        "py:.*",
        r"(aiohttp|asyncio|collections|datetime|decimal|metrics|msgspec|os|pa|pyarrow|ssl|time|trace|types)\..*",
    ),  # of others
    ("py:.*", r".*\b(T|T_co|_ItemT)"),  # type variables
]


def filled(text: str) -> str:
    """Give a page with what the code says in the place of each marker."""
    for marker, make in PAGES.items():
        if marker in text:
            text = text.replace(marker, make())
    return text


def fill(_app: Sphinx, _page: str, source: list[str]) -> None:
    """Fill a page that was read."""
    source[0] = filled(source[0])


def valued(*told: Any) -> tuple[str, str | None] | None:
    """Show the value of a default that the source has under a private name."""
    _app, _what, _name, documented, _options, signature, returns = told
    if "= _" not in (signature or ""):
        return None
    known = vars(sys.modules[documented.__module__])
    return re.sub(r"(?<== )_[A-Z_]+", lambda name: f"{known[name[0]]:_}", signature), returns


def for_programs(app: Sphinx, failed: Exception | None) -> None:
    """Write what programs read beside the finished pages."""
    if failed is None and app.builder.format == "html":
        write(Path(app.srcdir), Path(app.outdir), filled)


def setup(app: Sphinx) -> None:
    """Let every page pass through `fill`, every signature through `valued`, and the site through `for_programs`."""
    app.connect("source-read", fill)
    app.connect("autodoc-process-signature", valued)
    app.connect("build-finished", for_programs)
