"""Fetched bodies to a batch for the sinks, less those that have to be set aside."""

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from aegis_async._resources.data_collections import CollectionBody
from aegis_async.export._arrow import TABLE_SCHEMAS, Piece, UnfitError, pieces_of, tables_of
from aegis_async.export._holdings import Mark
from aegis_async.export._layout import RAW
from aegis_async.export._rows import Tables, rows_of
from aegis_async.export._sinks import Batch, Packed, Rejected
from aegis_async.export._sinks._raw import line, raw_table
from aegis_async.export._source import Listed
from aegis_async.models import DataCollection

__all__ = ["NOT_UTF8", "Draft", "Fetched", "add_to", "batch_of", "converted", "narrowed", "wrong_id"]

NOT_UTF8: Final = "the body is not UTF-8 in what becomes text as it is, or in a field that the models do not know"


class Fetched(NamedTuple):
    """One body, and what the listing showed of it before.

    Attributes:
        body: The body.
        listed: What the listing showed.
    """

    body: CollectionBody
    listed: Listed


@dataclass(slots=True)
class Draft:
    """A batch in the making: rows are columns already, so that no Struct outlives its conversion.

    Attributes:
        marks: The sound collections.
        bodies: Their bytes.
        pieces: Their rows.
        rejected: What becomes no row.
        size: Of all bodies, sound or not.
        line: The raw line, where there is but one large collection, whose bytes are gone.
    """

    marks: list[Mark] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    size: int = 0
    line: Packed | None = None


class _Sound(NamedTuple):
    mark: Mark
    body: bytes
    value: DataCollection


async def add_to(draft: Draft, fetched: Iterable[Fetched]) -> None:
    """Add the rows of all bodies that fit the tables, and the others with the reason.

    It works in the loop, in pieces between which others run: a thread that holds the interpreter's lock most
    of the time makes the loop wait for it again at every read of a socket.
    """
    judged = [_judged(one) for one in fetched]
    sound = [one for one in judged if isinstance(one, _Sound)]
    rejected = [one for one in judged if isinstance(one, Rejected)]
    try:
        pieces = await converted(rows_of(one.value for one in sound))
    except UnfitError:
        # Rare enough that all are converted again, each by itself, to find which.
        unfit = {one.mark.id: reason for one in sound if (reason := await _unfit(one.value)) is not None}
        rejected += [Rejected(one.mark.id, one.body, unfit[one.mark.id]) for one in sound if one.mark.id in unfit]
        sound = [one for one in sound if one.mark.id not in unfit]
        pieces = await converted(rows_of(one.value for one in sound))
    draft.rejected += rejected
    draft.pieces += pieces
    draft.marks += [one.mark for one in sound]
    draft.bodies += [one.body for one in sound]


async def converted(tables: Tables, wanted: Collection[str] = TABLE_SCHEMAS) -> list[Piece]:
    """Give the rows of the wanted tables as columns, with a turn of the loop for others after each piece.

    Raises:
        UnfitError: A value does not fit its column.
    """
    pieces: list[Piece] = []
    for piece in pieces_of(tables, wanted):
        pieces.append(piece)
        await asyncio.sleep(0)
    return pieces


def wrong_id(id_: int) -> str:
    """Give the reason to set a body aside that says to be another collection than was asked for."""
    # Its rows would stand for a collection that nobody fetched, perhaps beside the real one.
    return f"the body is that of collection {id_}"


def batch_of(draft: Draft) -> Batch:
    """Give the batch of a draft, with its raw lines."""
    raw = draft.line or _lines(draft)
    draft.bodies.clear()
    return Batch(draft.marks, {**tables_of(draft.pieces), RAW: raw}, draft.rejected)


def _lines(draft: Draft) -> pa.Table:
    ids = [mark.id for mark in draft.marks]
    return raw_table(ids, [line(id_, body) for id_, body in zip(ids, draft.bodies, strict=True)])


def narrowed(batch: Batch, ids: Collection[int]) -> Batch:
    """Give a batch with these of its collections alone."""
    marks = [mark for mark in batch.marks if mark.id in ids]
    if len(marks) == len(batch.marks):
        return batch
    wanted = pa.array([mark.id for mark in marks], pa.int64())
    # A packed line is alone in its batch, which is wanted as a whole or not at all.
    tables = {name: rows for name, rows in batch.tables.items() if not isinstance(rows, Packed)}
    chosen = {name: rows.filter(pc.is_in(rows["collection_id"], wanted)) for name, rows in tables.items()}
    return Batch(marks, chosen, batch.rejected)


def _judged(one: Fetched) -> _Sound | Rejected:
    body = one.body
    if body.value is None:
        return Rejected(body.id, body.body, str(body.error))
    if body.value.id != body.id:
        return Rejected(body.id, body.body, wrong_id(body.value.id))
    if not _is_utf8(body.body):
        return Rejected(body.id, body.body, NOT_UTF8)
    settled = one.listed.settled and all(run.finished_at is not None for run in body.value.runs)
    return _Sound(Mark(body.id, one.listed.fingerprint, 0, settled), body.body, body.value)


def _is_utf8(body: bytes) -> bool:
    if body.isascii():
        return True
    bounds = pa.array([0, len(body)], pa.int64()).buffers()[1]
    text = pa.Array.from_buffers(pa.large_string(), 1, [None, bounds, pa.py_buffer(body)])
    try:  # at a tenth of the cost of a Python text
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


async def _unfit(collection: DataCollection) -> str | None:
    try:
        await converted(rows_of((collection,)))
    except UnfitError as error:
        return str(error)
    return None
