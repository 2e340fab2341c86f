"""Lines of text as one file, compressed with zstd."""

from collections.abc import Iterable

import pyarrow as pa

__all__ = ["packed", "unpacked"]


def packed(lines: Iterable[bytes | pa.Buffer]) -> pa.Buffer:
    """Give the lines compressed, one piece behind the other."""
    buffer = pa.BufferOutputStream()
    with pa.CompressedOutputStream(buffer, "zstd") as stream:
        for piece in lines:
            stream.write(piece)
    return buffer.getvalue()


def unpacked(data: bytes) -> bytes:
    """Give the lines of what `packed` made.

    Raises:
        OSError: It is something else.
    """
    with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
        return bytes(stream.read())
