"""The service's own example of a full collection and of a page, as documents that a test may bend."""

import json
import re
from pathlib import Path
from typing import Any, Final

_PAGE: Final = (Path(__file__).parent.parent / "api" / "get-data-collections.txt").read_text(encoding="utf-8")


def _examples() -> list[Any]:
    decoder = json.JSONDecoder()
    found = []
    position = 0
    for match in re.finditer(r"^\{$", _PAGE, re.MULTILINE):
        if match.start() >= position:
            document, position = decoder.raw_decode(_PAGE, match.start())
            found.append(document)
    return found


def collection() -> Any:
    """Give a copy of the page's collection 14."""
    return next(d for d in _examples() if d.get("id") == 14 and d["runs"])


def listing() -> Any:
    """Give a copy of the page's first listing, with a run in the shape of a summary."""
    page = next(d for d in _examples() if "items" in d)
    run = collection()["runs"][0]
    del run["dataset"], run["evaluations"]
    page["items"][0]["runs"] = [run]
    return page


def old_revision(document: Any) -> Any:
    """Give ``document`` as an older revision of the service sends it."""
    if isinstance(document, list):
        return [old_revision(item) for item in document]
    if not isinstance(document, dict):
        return document
    old = {name: old_revision(value) for name, value in document.items() if name != "author_email"}
    for field in ("run_type", "run_source"):
        if field in old:
            old[f"{field}_id"] = old.pop(field)["id"]
    if "structure" not in old and "runs" not in old and "threshold" not in old and "user" in old:
        old.pop("created_at")
        old.pop("updated_at")
    return old


def encoded(document: Any) -> bytes:
    """Give ``document`` as the bytes of a body."""
    return json.dumps(document).encode()
