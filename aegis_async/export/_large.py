"""One collection too large to be held in full: its rows slice by slice, and a batch of its own."""

import codecs
import hashlib
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator

from aegis_async._resources.data_collections import BodyStream
from aegis_async.errors import DecodeError
from aegis_async.export._arrow import Piece, UnfitError
from aegis_async.export._batches import NOT_UTF8, Draft, converted, wrong_id
from aegis_async.export._holdings import Mark
from aegis_async.export._rows import Gathering, Tables, no_rows
from aegis_async.export._sinks import Packed, Rejected
from aegis_async.export._sinks._lines import packed
from aegis_async.export._sinks._raw import line_pieces
from aegis_async.export._source import Listed
from aegis_async.export._threads import off_loop
from aegis_async.models import DataCollectionHead

__all__ = ["RefusedError", "large_draft", "sliced"]


class RefusedError(Exception):
    """The body becomes no row; the text says why."""


async def large_draft(stream: BodyStream, listed: Listed) -> Draft:
    """Give what a batch of one large collection is made of: its rows and its raw line, or its bytes and why not.

    Nothing of it needs the stream any more, so that its bytes can go before the batch is written.
    """
    try:
        pieces, settled = await _converted(stream)
        line = await off_loop(_packed, stream.id, stream.raw)
    except (RefusedError, DecodeError, UnfitError) as error:
        body = await off_loop(_joined, stream.raw())
        return Draft(rejected=[Rejected(stream.id, body, str(error))], size=stream.size)
    mark = Mark(stream.id, listed.fingerprint, 0, settled and listed.settled)
    return Draft(marks=[mark], pieces=pieces, line=line, size=stream.size)


async def _converted(stream: BodyStream) -> tuple[list[Piece], bool]:
    """Give the rows, and whether all runs have ended."""
    pieces, settled = list[Piece](), True
    async for tables in sliced(stream):
        settled = settled and all(run.finished_at is not None for run in tables["runs"].records)
        pieces += await converted(tables)
    return pieces, settled


async def sliced(stream: BodyStream) -> AsyncGenerator[Tables, None]:
    """Yield the rows of a large collection: its own and its datasets', then those of each slice of its runs.

    Raises:
        RefusedError: The body becomes no row.
        DecodeError: Nor does a run; what stands before it was given.
    """
    collection = _judged(stream)
    gathering, tables = Gathering(collection), no_rows()
    gathering.begin(tables)
    yield tables
    async for runs, continues in stream.slices():
        tables = no_rows()
        (gathering.go_on if continues else gathering.add)(tables, runs)
        yield tables


def _judged(stream: BodyStream) -> DataCollectionHead:
    if stream.collection is None:
        raise RefusedError(str(stream.error))
    if stream.collection.id != stream.id:
        raise RefusedError(wrong_id(stream.collection.id))
    return stream.collection


def _packed(id_: int, raw: Callable[[], Iterable[bytes]]) -> Packed:
    digest, size = hashlib.sha256(), 0
    for piece in _utf8(raw()):
        digest.update(piece)
        size += len(piece)
    return Packed(packed(line_pieces(id_, digest.hexdigest(), raw())), 1, size)


def _utf8(body: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces, and see to it that together they are UTF-8."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    try:
        for piece in body:
            decode(piece)
            yield piece
        decode(b"", final=True)
    except UnicodeDecodeError:
        raise RefusedError(NOT_UTF8) from None


def _joined(body: Iterable[bytes]) -> bytearray:
    joined = bytearray()
    for piece in body:
        joined += piece
    return joined
