"""One collection read run by run: what ``client.data_collections.stream`` gives, and its bytes too for the export."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final, TypeVar

from msgspec.structs import asdict

from aegis_async._decode import Slice, Split, Splitter
from aegis_async._resources._reading import Placing
from aegis_async.errors import ClientClosedError, DecodeError
from aegis_async.models import DataCollection, DataCollectionHead, Run

__all__ = ["BodyStream", "CollectionStream", "KeepingSplitter"]

T = TypeVar("T")

_COPIED: Final = 1 << 18  # bytes: some 30 microseconds


class _Stream:
    """A body in memory until it is closed, with an array that is still to be decoded."""

    def __init__(self, split: Split[DataCollection] | Split[None], place: Placing) -> None:
        self.size: int = len(split.body)
        self._split: Split[DataCollection] | Split[None] | None = split
        self._place = place

    async def aclose(self) -> None:
        """Let go of the bytes."""
        split, self._split = self._split, None
        if split is not None:
            await split.release()

    async def _read(self, parts: Callable[[Split[Any]], AsyncIterator[T]]) -> AsyncIterator[T]:
        try:
            async for part in parts(self._open()):
                yield part
                self._open()
        except DecodeError as error:
            self._place(error)
            raise

    def _open(self) -> Split[DataCollection] | Split[None]:
        if self._split is None:
            raise ClientClosedError("the stream is closed: read its runs inside its async with")
        return self._split


class CollectionStream(_Stream):
    """One collection too large to be held in full: its own fields, and its runs one after the other.

    Its bytes are in memory until the ``async with`` ends; nothing is on the wire any more.

    Attributes:
        collection: The collection's own fields.
        size: Bytes of the body.
    """

    def __init__(self, split: Split[DataCollection], place: Placing) -> None:
        super().__init__(split, place)
        self.collection: DataCollectionHead = _head(split.value)

    def runs(self) -> AsyncIterator[Run]:
        """Give the runs in the service's order, decoded about half a megabyte at a time; each call begins anew.

        Raises:
            DecodeError: A run is not what the service documents; the runs well before it were given.
            ClientClosedError: The ``async with`` is over.
        """
        return self._read(Split.elements)


class BodyStream(_Stream):
    """One collection too large to be held in full, as it was sent, with what it decodes to, for the export.

    The body is there as a whole, and sound JSON, before any of it is given.

    Attributes:
        id: The id that was asked for.
        size: Bytes of the body.
        collection: The collection's own fields; None where they do not decode.
        error: Why they do not.
    """

    def __init__(
        self, id_: int, split: Split[DataCollection] | Split[None], place: Placing, error: DecodeError | None = None
    ) -> None:
        super().__init__(split, place)
        self.id = id_
        self.collection: DataCollectionHead | None = _head(split.value) if split.value is not None else None
        self.error: DecodeError | None = error
        if error is not None:
            place(error)

    def raw(self) -> Iterator[bytes]:
        """Give the body byte for byte in pieces of 256 KiB at most; each call begins anew, in any thread.

        Raises:
            ClientClosedError: The ``async with`` is over.
        """
        for start in range(0, self.size, _COPIED):
            yield bytes(memoryview(self._open().body)[start : start + _COPIED])

    def slices(self) -> AsyncIterator[Slice]:
        """Give the runs in the service's order, decoded about half a megabyte at a time, however large one of them is.

        The ``elements`` of a slice are runs. One that is larger than that comes first without its evaluations, and
        then again in slices that ``continues`` marks, each with more of its evaluations and no others. A body whose own
        fields do not decode has no slices. Each call begins anew.

        Raises:
            DecodeError: A run is not what the service documents; what stands before it was given.
            ClientClosedError: The ``async with`` is over.
        """
        return self._read(Split.slices)


class KeepingSplitter:
    """Splits a collection's body; one that does not decode is a stream too, with its error.

    Args:
        splitter: Does the work.
        id_: The id that was asked for.
        place: Completes errors.

    Attributes:
        cut_above: Every body is read in pieces.
    """

    cut_above: int = Splitter.cut_above

    def __init__(self, splitter: Splitter[DataCollection], id_: int, place: Placing) -> None:
        self._splitter = splitter
        self._id = id_
        self._place = place

    def __call__(self, body: bytes | bytearray) -> BodyStream:
        """Split a body at once."""
        try:
            return BodyStream(self._id, self._splitter(body), self._place)
        except DecodeError as error:
            return self._kept(body, error)

    async def in_pieces(self, body: bytes | bytearray) -> BodyStream:
        """Split a body in steps between which others run.

        Raises:
            DecodeError: It breaks off, which is worth another attempt.
        """
        try:
            return BodyStream(self._id, await self._splitter.in_pieces(body), self._place)
        except DecodeError as error:
            return self._kept(body, error)

    def _kept(self, body: bytes | bytearray, error: DecodeError) -> BodyStream:
        if error.truncated:
            raise error
        # Without its traceback, whose frames hold what holds the error.
        return BodyStream(self._id, self._splitter.unread(body), self._place, error.with_traceback(None))


def _head(collection: DataCollection) -> DataCollectionHead:
    fields = asdict(collection)
    del fields["runs"]
    return DataCollectionHead(**fields)
