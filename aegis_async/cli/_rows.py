"""Summaries as they are shown: a table for people, NDJSON and CSV for programs."""

import asyncio
import csv
import io
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec

from aegis_async.cli._terminal import one_line, plain, print_out, write_out

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod

    from aegis_async import Paginator
    from aegis_async.models import DataCollectionSummary

__all__ = ["show_table", "stream"]

_FIELDS: Final = (
    "id",
    "name",
    "user_id",
    "user_email",
    "org_id",
    "author_email",
    "datasets",
    "runs",
    "created_at",
    "updated_at",
)

# Title, whether it is a number, and whether it is cut where the terminal is narrow.
_COLUMNS: Final = (
    ("ID", True, False),
    ("Name", False, True),
    ("Owner", False, True),
    ("Datasets", True, False),
    ("Runs", True, False),
    ("Updated (UTC)", False, False),
)
_TITLES: Final = tuple(title for title, _, _ in _COLUMNS)


async def stream(listing: "Paginator[DataCollectionSummary]", limit: int | None, batch_size: int, format_: str) -> None:
    """Write items to standard output as they come, ``batch_size`` at a time."""
    encode = _ENCODERS[format_]
    batch: list[DataCollectionSummary] = []
    count = 0
    await _write(_HEADS.get(format_, b""))
    async with aiter(listing) as items:
        async for item in items:
            batch.append(item)
            count += 1
            if len(batch) == batch_size or count == limit:
                await _write(encode(batch))
                batch.clear()
            if count == limit:
                break
    await _write(encode(batch))


async def _write(data: bytes) -> None:
    await write_out(plain(data.decode()).encode() if sys.stdout.isatty() else data)


async def show_table(items: "Sequence[DataCollectionSummary]", total: int | None, console: "Console") -> None:
    """Write items as a table; say how many there are when it is not all of them."""
    from rich.table import Table  # noqa: PLC0415 - only for the table
    from rich.text import Text  # noqa: PLC0415 - likewise

    cells = [[plain(one_line(cell)) for cell in _cells(item)] for item in items]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for place, (title, is_number, gives_way) in enumerate(_COLUMNS):
        width = None if gives_way else max(len(row[place]) for row in [[*_TITLES], *cells])
        justify: JustifyMethod = "right" if is_number else "left"
        table.add_column(title, justify=justify, min_width=width)
    for row in cells:
        # Said of the cells: rich narrows no column that may not wrap.
        table.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in row))
    await asyncio.to_thread(print_out, table)
    if total is not None and len(items) != total:
        console.print(f"{len(items)} of {total} data collections")
    elif not items:
        console.print("no data collections")


def _cells(item: "DataCollectionSummary") -> tuple[str, ...]:
    owner = item.user.email if item.user else f"organization {item.org_id}"
    changed = item.updated_at or item.created_at
    return (str(item.id), item.name, owner, str(len(item.datasets)), str(len(item.runs)), f"{changed:%Y-%m-%d %H:%M}")


def _ndjson(items: "Iterable[DataCollectionSummary]") -> bytes:
    return b"".join(msgspec.json.encode(item) + b"\n" for item in items)


def _csv(items: "Iterable[DataCollectionSummary]") -> bytes:
    return _csv_lines(map(_record, items))


def _record(item: "DataCollectionSummary") -> tuple[object, ...]:
    user = item.user
    return (
        item.id,
        item.name,
        user.id if user else None,
        user.email if user else None,
        item.org_id,
        item.author_email,
        len(item.datasets),
        len(item.runs),
        _timestamp(item.created_at),
        _timestamp(item.updated_at),
    )


def _timestamp(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat().replace("+00:00", "Z")


def _csv_lines(rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


_ENCODERS: Final = MappingProxyType({"ndjson": _ndjson, "csv": _csv})
_HEADS: Final = MappingProxyType({"csv": _csv_lines([_FIELDS])})
