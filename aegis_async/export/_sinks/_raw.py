"""The bodies as they came: a line of JSON for each collection, compressed with zstd.

``{"id": …, "sha256": …, "body": …}``: the body as it came, but for line breaks between its tokens, and the
sum of the original bytes.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import Final

import pyarrow as pa

from aegis_async.export._arrow import RAW_SCHEMA
from aegis_async.export._sinks._file_format import RAW_TABLES
from aegis_async.export._sinks._lines import packed, unpacked
from aegis_async.export._sinks._protocol import Packed

__all__ = ["Format", "line", "line_pieces", "raw_table"]

# Sound JSON has line breaks only between tokens, where a space means the same.
_ON_ONE_LINE: Final = bytes.maketrans(b"\r\n", b"  ")
_BLANKS: Final = b" \t"
_ID: Final = re.compile(rb'\{"id":(\d{1,19}),"sha256":"[0-9a-f]{64}","body":')


class Format:
    """The files of raw lines."""

    name = "raw"
    extension = "ndjson.zst"
    tables = RAW_TABLES

    def encode(self, table: pa.Table | Packed) -> pa.Buffer:
        """Give the bytes of a file with these lines."""
        if isinstance(table, Packed):
            return table.data
        return packed(_text(lines) for lines in table["line"].chunks)

    def decode(self, data: bytes, schema: pa.Schema) -> pa.Table:
        """Give the lines of a file's bytes.

        Raises:
            ValueError: One of them is no raw line.
        """
        lines = unpacked(data).splitlines(keepends=True)
        return raw_table([_id(line) for line in lines], [(line,) for line in lines]).cast(schema)


def raw_table(ids: Sequence[int], lines: Sequence[Sequence[bytes]]) -> pa.Table:
    """Give the table of raw lines, each in pieces; all are copied once, which with fresh memory takes the most time."""
    ends = pa.array([0, *accumulate(sum(map(len, pieces)) for pieces in lines)], pa.int64())
    buffers = [None, ends.buffers()[1], pa.py_buffer(b"".join(chain.from_iterable(lines)))]
    texts = pa.Array.from_buffers(pa.large_binary(), len(lines), buffers)
    return pa.table([pa.array(ids, pa.int64()), texts], schema=RAW_SCHEMA)


def _text(lines: pa.Array) -> pa.Buffer:
    """Give the bytes of lines that lie one behind the other."""
    _, ends, text = lines.buffers()
    bounds = pa.Array.from_buffers(pa.int64(), len(lines) + 1, [None, ends], offset=lines.offset)
    first, last = bounds[0].as_py(), bounds[-1].as_py()
    return text.slice(first, last - first)


def line(id_: int, body: bytes) -> tuple[bytes, ...]:
    """Give the line of one body, which is sound JSON, in pieces; most often the body is one of them."""
    return tuple(line_pieces(id_, hashlib.sha256(body).hexdigest(), (body,)))


def line_pieces(id_: int, sha256: str, body: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the line of one body piece by piece.

    Args:
        id_: The collection's id.
        sha256: The sum of the body.
        body: The body in pieces, cut anywhere.
    """
    yield b'{"id":%d,"sha256":"%s","body":' % (id_, sha256.encode())
    blanks: bytes | None = None  # behind what was given so far; None before the first token
    for piece in body:
        flat = piece.translate(_ON_ONE_LINE) if b"\n" in piece or b"\r" in piece else piece  # looking is cheap
        flat = flat.lstrip(_BLANKS) if blanks is None else blanks + flat
        tokens = flat.rstrip(_BLANKS)
        if tokens:
            yield tokens
        if tokens or blanks is not None:
            blanks = flat[len(tokens) :]
    yield b"}\n"


def _id(text: bytes) -> int:
    found = _ID.match(text)
    if found is None:
        raise ValueError(f"no raw line: {text[:80]!r}")
    return int(found[1])
