"""What an export says of itself: while it runs, and at its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from os import PathLike
from typing import Literal

import msgspec

from aegis_async._decode import BROKEN
from aegis_async.errors import ExportError
from aegis_async.export._evidence import ListingEvidence
from aegis_async.export._layout import REPORT
from aegis_async.export._stores import place_in, store_at

__all__ = ["ExportReport", "ListingEvidence", "Missing", "Progress", "Quarantined", "Status", "read_report"]

Status = Literal["complete", "partial", "interrupted", "failed"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an export is.

    Attributes:
        done: Collections that are dealt with: fetched, failed or unchanged.
        total: Collections there are, as far as it is known.
        rows: Rows that the fetched collections make in all tables.
        bytes: Size of the bodies that were fetched.
        failed: Collections that could not be fetched or decoded.
        unchanged: Collections that are held already and have not changed.
    """

    done: int = 0
    total: int | None = None
    rows: int = 0
    bytes: int = 0
    failed: int = 0
    unchanged: int = 0


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
    """A body, or an item of the listing, that is no row of any table, and why.

    Attributes:
        id: The collection's id; None for an item of the listing that shows none.
        reason: What is wrong with it.
        file: The bytes as they came, byte for byte; beside it a ``.json`` of the same name says this.
    """

    id: int | None
    reason: str
    file: str


class ExportReport(msgspec.Struct, frozen=True, kw_only=True):
    """How an export ended; ``_report.json`` has exactly these fields.

    Attributes:
        status: ``"complete"``; ``"partial"`` when something is missing or quarantined, or the listing may lack
            something; ``"interrupted"`` or ``"failed"`` when it ended early.
        reason: What keeps it from being complete, in one sentence; None when it is.
        commit: The number of the folder's last commit; None before the first.
        formats: The formats that were asked for.
        rows: Rows by table that the first of these formats holds now.
        fetched: Collections that this run fetched and wrote.
        unchanged: Collections that were held already and have not changed.
        deleted: Collections that were held and that the service no longer has.
        missing: What could not be fetched.
        quarantined: What could not be decoded, or does not fit the tables.
        costs_as_text: Evaluations that this run wrote whose cost only ``evaluation_cost_text`` holds exactly.
        listing: What the listing said of its completeness; None when the ids were given.
        files: How many files the folder holds in all formats.
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
    fetched: int
    unchanged: int
    deleted: tuple[int, ...]
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
    data = store_at(out).get(REPORT)
    try:
        return msgspec.json.decode(data, type=ExportReport)
    except BROKEN as error:
        complaint = error
    raise ExportError(f"{place_in(out, REPORT)} is no report that this version of aegis_async reads: {complaint}")
