"""The bodies as they came: a line of JSON for each collection, compressed with zstd.

``{"id": …, "sha256": …, "body": …}``: the body as it came, but for line breaks between its tokens, and the
sum of the original bytes.
"""

import hashlib
from collections.abc import Iterator
from typing import Final

import pyarrow as pa

from aegis_async.export._commits import Part
from aegis_async.export._layout import RAW
from aegis_async.export._sinks._protocol import Batch, PutPart

__all__ = ["Writer", "line"]

# Sound JSON has line breaks only between tokens, where a space means the same.
_ON_ONE_LINE: Final = bytes.maketrans(b"\r\n", b"  ")


class Writer:
    """Writes the bodies of a batch as one part."""

    def __init__(self, put: PutPart) -> None:
        self._put = put

    def write(self, batch: Batch) -> Iterator[Part]:
        """Write a line for each body."""
        if not batch.bodies:
            return
        buffer = pa.BufferOutputStream()
        with pa.CompressedOutputStream(buffer, "zstd") as stream:
            for id_, body in batch.bodies:
                stream.write(line(id_, body))
        yield self._put(RAW, batch.number, "ndjson.zst", buffer.getvalue(), rows=len(batch.bodies))

    def finish(self) -> Iterator[Part]:
        """Write nothing: an export without collections has no bodies."""
        return iter(())


def line(id_: int, body: bytes) -> bytes:
    """Give the line of one body, which is sound JSON."""
    digest = hashlib.sha256(body).hexdigest().encode()
    return b'{"id":%d,"sha256":"%s","body":%s}\n' % (id_, digest, body.translate(_ON_ONE_LINE).strip(b" \t"))
