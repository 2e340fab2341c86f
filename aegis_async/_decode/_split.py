"""A body whose largest array is left for later: first the rest of it as a value, then the elements, piece by piece."""

from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any, Generic, TypeVar

import msgspec

from aegis_async._decode._assembly import Slice, elements, slices, whole
from aegis_async._decode._bodies import release
from aegis_async._decode._outline import Cut
from aegis_async._decode._pieces import PiecewiseDecoder
from aegis_async._decode._turns import Turns, keeping

__all__ = ["Split", "Splitter"]

T = TypeVar("T")


class Split(msgspec.Struct, Generic[T]):
    """One body, with one array still to be decoded.

    Attributes:
        value: What it decodes to, with nothing in that array.
        body: The bytes.
        cut: Where that array is.
        turns: Takes the steps.
    """

    value: T
    body: bytes | bytearray
    cut: Cut | None
    turns: Turns

    async def elements(self) -> AsyncIterator[Any]:
        """Give the elements of that array in order, with a turn of the loop for others after each piece.

        Raises:
            DecodeError: An element is not what it should be; those before its piece were given.
        """
        parts = elements(self.body, self.cut) if self.cut else iter(())
        while (part := await self.turns.next(parts)) is not None:
            for element in part:
                yield element

    async def slices(self) -> AsyncIterator[Slice]:
        """Give the elements of that array in order, about a piece at a time, however large one of them is.

        Raises:
            DecodeError: An element is not what it should be; those before it were given.
        """
        parts: Iterator[Slice] = slices(self.body, self.cut) if self.cut else iter(())
        while (part := await self.turns.next(parts)) is not None:
            yield part

    async def release(self) -> None:
        """Let go of the body."""
        body, self.body = self.body, b""
        await release(body)


class Splitter(Generic[T]):
    """Splits bodies of one type.

    Args:
        decoder: Decodes them.
        field: The array that is left for later.

    Attributes:
        cut_above: Every body is read in pieces.
    """

    cut_above: int = -1

    def __init__(self, decoder: PiecewiseDecoder[T], field: str) -> None:
        self._decoder = decoder
        self._field = field

    def __call__(self, body: bytes | bytearray) -> Split[T]:
        """Split a body at once."""
        results: list[Split[T]] = []
        for _ in keeping(self._steps(body), results):
            pass
        return results[0]

    async def in_pieces(self, body: bytes | bytearray) -> Split[T]:
        """Split a body in steps between which others run.

        Raises:
            DecodeError: It is no JSON, breaks off, or is at fault outside of that array.
        """
        return await self._decoder.turns.run(self._steps(body))

    def unread(self, body: bytes | bytearray) -> Split[None]:
        """Give the split of a body of which nothing is decoded."""
        return Split(None, body, None, self._decoder.turns)

    def _steps(self, body: bytes | bytearray) -> Generator[object, None, Split[T]]:
        decoder = self._decoder
        found = yield from decoder.outline(body, decoded=False)
        if found is None:
            return Split(decoder(body), body, None, decoder.turns)
        value = yield from whole(body, found, decoder, without=self._field)
        return Split(value, body, found.arrays().get(self._field), decoder.turns)
