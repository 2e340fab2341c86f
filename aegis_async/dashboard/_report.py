"""One self-contained HTML file: the same page, its scripts and its numbers inside, and nothing that asks for more."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from html import escape
from os import PathLike
from pathlib import Path
from typing import Final

import msgspec

from aegis_async.dashboard._details import collection_detail
from aegis_async.dashboard._exported import ExportSource
from aegis_async.dashboard._facts import CollectionFacts
from aegis_async.dashboard._files import CHARTS, LICENCE, PAGE, SCRIPTS, STYLES, text_of
from aegis_async.dashboard._lists import collections_page, runs_below
from aegis_async.dashboard._overview import overview
from aegis_async.dashboard._spans import SPANS, period
from aegis_async.dashboard._tally import tallied
from aegis_async.errors import ExportError, InvalidArgumentError

__all__ = ["DAYS", "inlined", "report_page", "write_report"]

DAYS: Final = (None, 7, 30, 90, 365)
"""The periods that the page offers."""

_IMPORT: Final = re.compile(r"^import [^;]+;\n", re.MULTILINE)
_EXPORT: Final = re.compile(r"^export ", re.MULTILINE)
# Inside a script element these end it or begin a comment; U+2028 and U+2029 end a line of JavaScript.
_UNSAFE: Final = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def write_report(out: str | PathLike[str], file: str | PathLike[str]) -> None:
    """Write what the dashboard shows of an export into one HTML file that needs no server and no network.

    It holds the overview in every period, the runs that fell below their threshold and the 25 collections with the
    latest runs; no evaluation. The file appears whole or not at all.

    Args:
        out: The folder of a finished export that wrote Parquet.
        file: Where to write it; a file that is there is replaced.

    Raises:
        InvalidArgumentError: ``out`` holds no finished export, or ``file`` names a folder, a device or nothing.
        ExportError: Its files cannot be read.
        OSError: ``file`` cannot be written.
    """
    target = Path(file)
    if not target.name or (target.exists() and not target.is_file()):
        raise InvalidArgumentError(f"file must be a new file or one to replace, not {str(file)!r}")
    source = ExportSource(out)
    try:
        page = report_page(*_read(source))
    finally:
        source.close()
    temporary = target.with_name(f".{target.name}.tmp")
    try:
        temporary.write_text(page, encoding="utf-8")
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _read(source: ExportSource) -> tuple[tuple[CollectionFacts, ...], dict[str, object]]:
    while True:
        state = source.state()
        try:
            return tuple(source.book()), msgspec.to_builtins(state)
        except ExportError:
            if state.version == source.state().version:  # else a later export took the files away
                raise


def report_page(book: tuple[CollectionFacts, ...], state: dict[str, object]) -> str:
    """Give the file's text for an account in numbers."""
    made = datetime.now(UTC)
    health = {**state, "made_at": made.isoformat(timespec="seconds")}
    data = {"api/health": health, **_answers(book, made.date())}
    style = "\n".join(map(text_of, STYLES))
    # Modules share one scope here, as the names in them differ; the charts' library stands before them.
    modules = "\n".join(_EXPORT.sub("", _IMPORT.sub("", text_of(name))) for name in SCRIPTS)
    script = f'{text_of(CHARTS)}\n(() => {{\n"use strict";\n{modules}}})();'
    allowed = f"script-src '{_hash(script)}'; style-src '{_hash(style)}'"
    policy = f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        f"<!--\n{text_of(LICENCE).replace('--', '')}-->\n"
        f"<style>{style}</style>\n"
        f'<script type="application/json" id="data">{inlined(data)}</script>'
    )
    page = re.sub(r"<!-- files -->.*<!-- /files -->", lambda _: head, text_of(PAGE), flags=re.DOTALL)
    return page.replace("</body>", f"<script>{script}</script>\n</body>")


def inlined(data: object) -> str:
    """Give JSON that can stand inside a script element, whatever the names in it are."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(_UNSAFE)


def _answers(book: tuple[CollectionFacts, ...], today: date) -> dict[str, object]:
    """Give the answers to the questions that the page may ask, by their path."""
    cube = tallied(book)
    answers: dict[str, object] = {}
    for days in DAYS:
        query = "" if days is None else f"&days={days}"
        answers[f"api/below?page=1{query}"] = runs_below(book, 1, period(cube.last(today), days))
        answers.update(
            (f"api/overview?{_joined(days, span)}", overview(cube, today, days, span)) for span in (None, *SPANS)
        )
    answers["api/collections?page=1&search="] = latest = collections_page(book)
    shown = {row.id for row in latest.items}
    for facts in (facts for facts in book if facts.id in shown):
        answers[f"api/collections/{facts.id}"] = collection_detail(facts, 0.0, False)  # noqa: FBT003 - a field
    built: dict[str, object] = msgspec.to_builtins(answers)
    return built


def _joined(days: int | None, span: str | None) -> str:
    given: Iterable[tuple[str, object]] = (("days", days), ("span", span))
    return "&".join(f"{name}={value}" for name, value in given if value is not None)


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
