"""One collection with its bytes, for the export."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aegis_async._decode import PiecewiseDecoder, as_bytes
from aegis_async._resources._reading import Placing
from aegis_async.errors import DecodeError
from aegis_async.models import DataCollection

__all__ = ["CollectionBody", "KeepingBody"]

# Bytes up to which the export decodes a collection at once, 6 to 10 ms where two processes share a core: to cut it into
# two or three pieces would take half as long again.
_WHOLE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class CollectionBody:
    """One collection as it was sent, with what it decodes to.

    Attributes:
        id: The collection's id.
        body: The bytes of the answer.
        value: What they decode to, None where they do not.
        error: Why they do not decode.
    """

    id: int
    body: bytes
    value: DataCollection | None
    error: DecodeError | None


class KeepingBody:
    """Decodes a collection and keeps its bytes; what does not decode is a value too.

    Args:
        id_: The id that was asked for.
        place: Completes errors.
        decode: Does the work.
        most: Decodes what it can of a body of up to a megabyte; None has ``decode`` do all.

    Attributes:
        cut_above: Bytes above which a body is decoded in pieces.
    """

    def __init__(
        self,
        id_: int,
        place: Placing,
        decode: PiecewiseDecoder[DataCollection],
        most: Callable[[bytes], DataCollection | None] | None,
    ) -> None:
        self.cut_above: int = max(decode.cut_above, _WHOLE)
        self._id = id_
        self._place = place
        self._decode = decode
        self._most = most

    def __call__(self, body: bytes | bytearray) -> CollectionBody:
        """Decode a body at once."""
        kept = bytes(body)
        value = self._most(kept) if self._most else None
        try:
            return CollectionBody(self._id, kept, value or self._decode(kept), None)
        except DecodeError as error:
            return self._kept(kept, error)

    async def in_pieces(self, body: bytes | bytearray) -> CollectionBody:
        """Decode a body in pieces between which others run."""
        kept = await as_bytes(body)
        try:
            return CollectionBody(self._id, kept, await self._decode.in_pieces(kept), None)
        except DecodeError as error:
            return self._kept(kept, error)

    def _kept(self, body: bytes, error: DecodeError) -> CollectionBody:
        if error.truncated:  # worth another attempt
            raise error
        self._place(error)
        # Without its traceback: from Python 3.12 on, the frames in it hold what holds the error, and so the body.
        return CollectionBody(self._id, body, None, error.with_traceback(None))
