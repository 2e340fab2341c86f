"""Bodies that would block the loop are decoded piece by piece, and give the same value as in one piece."""

import sys
from collections.abc import Generator, Mapping
from typing import Any, Final, Protocol, TypeVar

from aegis_async._decode._assembly import whole
from aegis_async._decode._complaints import decode_error
from aegis_async._decode._decoder import BodyDecoder, is_ours
from aegis_async._decode._outline import Outline, Steps, outline
from aegis_async._decode._shape import Shape, shapes
from aegis_async._decode._skip import BROKEN
from aegis_async._decode._turns import Turns

__all__ = ["PIECE", "Decode", "Decoders", "PiecewiseDecoder"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

# Bytes: 10 ms, half of what may block the loop, at 50 MB/s; 60 to 400 MB/s were measured on a busy machine.
PIECE: Final = 1 << 19


class Decode(Protocol[T_co]):
    """What makes a value of a body."""

    @property
    def cut_above(self) -> int:
        """Give the bytes above which a body is to be decoded in pieces."""

    def __call__(self, body: bytes | bytearray) -> T_co:
        """Decode a body at once."""

    async def in_pieces(self, body: bytes | bytearray) -> T_co:
        """Decode a body in pieces between which others run."""


class PiecewiseDecoder(BodyDecoder[T]):
    """Decodes bodies into one type, at once or in pieces.

    Args:
        type_: A type that msgspec decodes JSON into; ``bytes`` gives the body as it is.
        turns: Takes the steps.
        piece: Bytes of one piece.

    Attributes:
        cut_above: Bytes above which a body is to be decoded in pieces; a type of the caller's own never is.

    Raises:
        InvalidArgumentError: msgspec cannot decode into ``type_``.
    """

    __slots__ = ("_piece", "_shapes", "cut_above", "turns")

    def __init__(self, type_: type[T], turns: Turns, piece: int = PIECE) -> None:
        super().__init__(type_)
        self.turns: Turns = turns
        self.cut_above: int = piece if is_ours(type_) else sys.maxsize
        self._piece = piece
        self._shapes: Mapping[bytes, Shape] | None = None

    async def in_pieces(self, body: bytes | bytearray) -> T:
        """Decode one body, and let others run between its pieces.

        Raises:
            DecodeError: As in one piece, with the same path.
        """
        return await self.turns.run(self.steps(body))

    def steps(self, body: bytes | bytearray) -> Generator[object, None, T]:
        """Decode one body in steps, each of about one piece."""
        found = yield from self.outline(body)
        return self(body) if found is None else (yield from whole(body, found, self))

    def outline(self, body: bytes | bytearray) -> Steps[Outline | None]:
        """Give the outline of one body in steps, or None where it is no object with fields.

        Raises:
            DecodeError: It is no JSON or breaks off.
        """
        if self._shapes is None:
            self._shapes = shapes(self._type)
        try:
            return (yield from outline(body, self._shapes, self._piece))
        except BROKEN as error:
            fault = error
        raise decode_error(fault, body)


class Decoders:
    """One decoder for each type that a client has met."""

    __slots__ = ("_known", "turns")

    def __init__(self) -> None:
        self.turns: Turns = Turns()
        self._known: dict[Any, PiecewiseDecoder[Any]] = {}

    def of(self, type_: type[T]) -> PiecewiseDecoder[T]:
        """Give the decoder of ``type_``, built when it is first asked for.

        Raises:
            InvalidArgumentError: msgspec cannot decode into ``type_``.
        """
        known = self._known.get(type_)
        if known is None:
            known = self._known[type_] = PiecewiseDecoder(type_, self.turns)
        return known
