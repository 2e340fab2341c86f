"""Fetched bodies to a batch for the sinks, less those that have to be set aside."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pyarrow as pa

from aegis_async._resources.data_collections import CollectionBody
from aegis_async.export._arrow import Piece, UnfitError, pieces_of, tables_of
from aegis_async.export._sinks import Batch
from aegis_async.models import DataCollection

__all__ = ["Rejected", "batch_of"]


class Rejected(NamedTuple):
    """A body that becomes no row.

    Attributes:
        id: The id that was asked for.
        body: The body as it came.
        reason: What is wrong with it.
    """

    id: int
    body: bytes
    reason: str


class _Sound(NamedTuple):
    id: int
    body: bytes
    value: DataCollection


async def batch_of(number: int, bodies: Sequence[CollectionBody]) -> tuple[Batch, list[Rejected]]:
    """Give the batch of all bodies that fit the tables, and the others with the reason.

    It works in the loop, in pieces between which others run: a thread that holds the interpreter's lock most
    of the time makes the loop wait for it again at every read of a socket.
    """
    judged = [_judged(body) for body in bodies]
    sound = [one for one in judged if isinstance(one, _Sound)]
    rejected = [one for one in judged if isinstance(one, Rejected)]
    try:
        tables = await _tables(one.value for one in sound)
    except UnfitError:
        # Rare enough that all are converted again, each by itself, to find which.
        unfit = {one.id: reason for one in sound if (reason := await _unfit(one.value)) is not None}
        rejected += [Rejected(one.id, one.body, unfit[one.id]) for one in sound if one.id in unfit]
        sound = [one for one in sound if one.id not in unfit]
        tables = await _tables(one.value for one in sound)
    return Batch(number, [(one.id, one.body) for one in sound], tables), rejected


async def _tables(collections: Iterable[DataCollection]) -> "dict[str, pa.Table]":
    pieces: list[Piece] = []
    for piece in pieces_of(collections):
        pieces.append(piece)
        await asyncio.sleep(0)
    return tables_of(pieces)


def _judged(body: CollectionBody) -> _Sound | Rejected:
    if body.value is None:
        return Rejected(body.id, body.body, str(body.error))
    if body.value.id != body.id:
        # Its rows would stand for a collection that nobody fetched, perhaps beside the real one.
        return Rejected(body.id, body.body, f"the body is that of collection {body.value.id}")
    if not _is_utf8(body.body):
        return Rejected(body.id, body.body, "the body is not UTF-8 in a field that the models do not know")
    return _Sound(body.id, body.body, body.value)


def _is_utf8(body: bytes) -> bool:
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


async def _unfit(collection: DataCollection) -> str | None:
    try:
        await _tables([collection])
    except UnfitError as error:
        return str(error)
    return None
