"""What an export left behind, in words."""

import shlex
from collections.abc import Iterator
from itertools import islice
from typing import Final

from aegis_async.cli._terminal import one_line
from aegis_async.export import ExportReport, next_steps
from aegis_async.export._stores import local_folder, place_in

__all__ = ["early_end", "summary"]

_LISTED: Final = 10
_KILO: Final = 1000
_PLACES: Final = {"duckdb": "export.duckdb", "sqlite": "export.sqlite", "delta": "delta/{table}"}
_QUERY: Final = "SELECT * FROM pass_rate_by_model_and_day ORDER BY day DESC, model_slug LIMIT 10"
_SHELLS: Final = {
    "duckdb": 'duckdb -readonly {out}/export.duckdb "{query}"',
    "sqlite": 'sqlite3 {out}/export.sqlite "{query}"',
}


def summary(out: str, report: ExportReport) -> str:
    """Give where the files are, how much is in them, what is missing, and what to do next."""
    return "\n".join((*_head(out, report), *_gaps(out, report), *_next(out, report), ""))


def early_end(out: str, report: ExportReport) -> str:
    """Give what an export that ended early has left in its folder."""
    held = f"{report.rows['collections']:,} collections are in {out}"
    return f"Ended early: {held}, and every file there is whole; run it again to go on."


def _head(out: str, report: ExportReport) -> Iterator[str]:
    reason = f"; {report.reason}" if report.reason else ""
    written = f"{report.files} files, {_size(report.bytes)}, in {report.seconds:.1f} s"
    yield f"{report.status.capitalize()}: {written}{reason}"
    yield f"  {report.fetched:,} fetched, {report.unchanged:,} unchanged, {len(report.deleted):,} gone"
    if report.listing is not None:
        known = "" if report.listing.complete else "not known to be "
        yield f"  the listing is {known}complete: {report.listing.reason}"
    yield ""
    for table, rows in report.rows.items():
        yield f"  {table:<12}{rows:>12,} rows  {_place(out, report.formats[0], table)}"
    yield f"  {'raw':<12}{_size(report.fetched_bytes):>12} read  {place_in(out, 'raw')}"
    yield ""


def _gaps(out: str, report: ExportReport) -> Iterator[str]:
    gaps = [
        *(f"  {gap.id}: {one_line(gap.reason)}" for gap in report.missing),
        *(f"  {gap.id}: {one_line(gap.reason)}; kept as {place_in(out, gap.file)}" for gap in report.quarantined),
    ]
    if gaps:
        yield "Missing collections:"
        yield from islice(gaps, _LISTED)
        if len(gaps) > _LISTED:
            yield f"  and {len(gaps) - _LISTED} more, all of them in {place_in(out, '_report.json')}"
        yield ""


def _next(out: str, report: ExportReport) -> Iterator[str]:
    if not report.rows.get("runs"):
        return
    folder = local_folder(out)
    if folder is None:
        yield f"Next, in Python: aegis_async.export.read({out!r}, 'runs')"
    elif "parquet" in report.formats:
        yield "Next, paste this into DuckDB (pip install duckdb, or its own shell):"
        yield ""
        yield next_steps(out)
    elif report.formats[0] in _SHELLS:
        yield f"Next: {_SHELLS[report.formats[0]].format(out=shlex.quote(str(folder)), query=_QUERY)}"


def _place(out: str, format_: str, table: str) -> str:
    """Give where a table is, as far as it is in the folder."""
    return place_in(out, _PLACES.get(format_, "{table}").format(table=table)) if format_ != "postgres" else "postgres"


def _size(count: float) -> str:
    units = iter(("bytes", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while count >= _KILO and unit != "TB":
        count, unit = count / _KILO, next(units)
    return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
