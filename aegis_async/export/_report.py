"""What an export says of itself: while it runs, and at its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Literal

import msgspec

from aegis_async.errors import ExportError
from aegis_async.export._layout import REPORT
from aegis_async.export._store import LocalStore

__all__ = ["ExportReport", "ListingEvidence", "Missing", "Progress", "Quarantined", "Status", "read_report"]

Status = Literal["complete", "partial", "interrupted", "failed"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an export is.

    Attributes:
        done: Collections that were fetched, failed ones among them.
        total: Collections to fetch, as far as it is known.
        rows: Rows that the fetched collections make in all tables.
        bytes: Size of the bodies that were fetched.
        failed: Collections that could not be fetched or decoded.
    """

    done: int = 0
    total: int | None = None
    rows: int = 0
    bytes: int = 0
    failed: int = 0


class Missing(msgspec.Struct, frozen=True, gc=False):
    """A collection that could not be fetched.

    Attributes:
        id: Its id.
        error: The name of the error's class, as ``NotFoundError``.
        reason: The error's words.
    """

    id: int
    error: str
    reason: str


class Quarantined(msgspec.Struct, frozen=True, gc=False):
    """A collection whose body is no row of any table, and why.

    Attributes:
        id: Its id.
        reason: What is wrong with the body.
        file: The body as it came, byte for byte; beside it a ``.json`` of the same name says this.
    """

    id: int
    reason: str
    file: str


class ListingEvidence(msgspec.Struct, frozen=True, gc=False):
    """What the listing said of its own completeness.

    Attributes:
        pages: Pages that were read.
        items: Collections that were listed, each counted once.
        repeats: Collections that came again.
        total_first: The total that the first page stated; None when no page came.
        total_last: The total that the last page stated.
        complete: Whether the listing was read to its end and both totals are the number of items.
    """

    pages: int
    items: int
    repeats: int
    total_first: int | None
    total_last: int | None
    complete: bool


class ExportReport(msgspec.Struct, frozen=True, kw_only=True):
    """How an export ended; ``_report.json`` has exactly these fields.

    Attributes:
        status: ``"complete"``; ``"partial"`` when something is missing or quarantined, or the listing moved;
            ``"interrupted"`` or ``"failed"`` when it ended early.
        reason: What keeps it from being complete, in one sentence; None when it is.
        commit: The number of the commit that holds its files; None when it left the folder as it was.
        formats: The formats that were asked for.
        rows: Rows by table.
        missing: What could not be fetched.
        quarantined: What could not be decoded, or does not fit the tables.
        costs_as_text: Evaluations whose cost only ``evaluation_cost_text`` holds exactly.
        listing: What the listing said of its completeness; None when the ids were given.
        files: How many files it wrote.
        bytes: The size of these files.
        fetched_bytes: The size of the bodies that were fetched.
        started_at: When it began.
        seconds: How long it took.
        sdk_version: The version of this package.
        schema_version: The version of the tables' schema.
    """

    status: Status
    reason: str | None
    commit: int | None
    formats: tuple[str, ...]
    rows: Mapping[str, int]
    missing: tuple[Missing, ...]
    quarantined: tuple[Quarantined, ...]
    costs_as_text: int
    listing: ListingEvidence | None
    files: int
    bytes: int
    fetched_bytes: int
    started_at: datetime
    seconds: float
    sdk_version: str
    schema_version: int


def read_report(out: str | PathLike[str]) -> ExportReport:
    """Give the report of the last export into ``out``, also of one that was interrupted.

    Raises:
        ExportError: There is none, or another version of this package wrote it.
    """
    data = LocalStore(Path(out)).get(REPORT)
    try:
        return msgspec.json.decode(data, type=ExportReport)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        complaint = error
    raise ExportError(f"{Path(out) / REPORT} is no report that this version of aegis_async reads: {complaint}")
