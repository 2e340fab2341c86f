"""The export as a command: ids in, progress while it runs, and at the end what is there."""

import asyncio
import logging
import os
import sys
from argparse import Namespace
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from aegis_async._arguments import integer
from aegis_async.cli._collector import collected_rarely
from aegis_async.cli._connect import connected
from aegis_async.cli._progress import shown_progress
from aegis_async.cli._summary import early_end, summary
from aegis_async.cli._terminal import ReaderGoneError, abandon_output, plain, say, write_out
from aegis_async.errors import AegisError, ExportError, InvalidArgumentError
from aegis_async.export import ExportReport, export, read_report

__all__ = ["read_ids", "run_export"]

_log: Final = logging.getLogger("aegis_async")
_STATUSES: Final = {"complete": 0, "partial": 3}
_LONGEST: Final = 19  # digits of a 64-bit integer


async def run_export(options: Namespace, console: Console) -> int:
    """Export as the options ask, print what there is, and give the exit status."""
    started = datetime.now(UTC)
    try:
        with collected_rarely():
            report = await _exported(options, console)
    except (asyncio.CancelledError, AegisError):
        left = await asyncio.to_thread(_left_by, options.out, started)
        if left is not None:
            say(console, early_end(options.out, left))
        raise
    try:
        await write_out(plain(summary(options.out, report)).encode())
    except ReaderGoneError:  # the files are what was wanted, and their status counts
        abandon_output()
    return _STATUSES[report.status]


async def _exported(options: Namespace, console: Console) -> ExportReport:
    ids = None if options.ids is None else await asyncio.to_thread(read_ids, options.ids)
    async with connected(options) as client, shown_progress(console, client) as display:
        return await export(
            client,
            options.out,
            format=options.format or "parquet",
            to=options.to,
            ids=ids,
            shared=options.shared,
            full=options.full,
            deleted=options.deleted,
            concurrency=options.concurrency,
            batch_bytes=options.batch_bytes,
            stream_above=options.stream_above,
            max_outage=options.max_outage,
            engine=options.engine,
            workers=options.workers,
            address=options.address,
            keys=() if options.sandbox else os.environ.get("AEGIS_API_KEYS", "").replace(",", " ").split(),
            progress=display.update,
        )


def _left_by(out: str, started: datetime) -> ExportReport | None:
    with suppress(ExportError):  # it ended before it had anything to report
        report = read_report(out)
        if report.started_at >= started:  # else an earlier run's
            return report
    return None


def read_ids(file: str) -> list[int]:
    """Give the ids of a file with one on each line; ``-`` is standard input.

    Raises:
        InvalidArgumentError: It cannot be read, or a line is no id.
    """
    name = "standard input" if file == "-" else file
    _log.debug("reading ids from %s", name)
    if file == "-" and sys.stdin is None:
        raise InvalidArgumentError("--ids: standard input is closed")
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise InvalidArgumentError(f"--ids: cannot read {name}: {reason}") from error
    lines = enumerate(text.splitlines(), 1)
    return [_id(line.strip(), f"--ids: {name}, line {number}") for number, line in lines if line.strip()]


def _id(text: str, place: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST):
        raise InvalidArgumentError(f"{place}: an id is a whole number from 1, not {text[:40]!r}")
    return integer(place, int(text), minimum=1)
