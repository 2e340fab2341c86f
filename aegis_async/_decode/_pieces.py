"""Bodies that would block the loop are decoded piece by piece, and give the same value as in one piece."""

import sys
from collections.abc import Generator
from typing import Any, Final, Generic, Protocol, TypeVar, cast

from aegis_async._decode._assembly import elements, whole
from aegis_async._decode._bodies import COPIED, as_bytes, release
from aegis_async._decode._complaints import decode_error
from aegis_async._decode._decoder import BodyDecoder
from aegis_async._decode._outline import Cut, Outline, Steps, array_outline, outline
from aegis_async._decode._shape import Field, Shapes, root, shapes
from aegis_async._decode._skip import BROKEN
from aegis_async._decode._turns import Turns
from aegis_async.errors import InvalidArgumentError

__all__ = ["PIECE", "Decode", "Decoders", "Lent", "PiecewiseDecoder"]

T = TypeVar("T")
S = TypeVar("S")
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
        """Decode a body in pieces between which others run; who holds on to it afterwards may find it empty."""


class PiecewiseDecoder(BodyDecoder[T]):
    """Decodes bodies into one type, at once or in pieces.

    Args:
        type_: A type that msgspec decodes JSON into; ``bytes`` gives the body as it is.
        turns: Takes the steps.
        piece: Bytes of one piece.

    Attributes:
        cut_above: Bytes above which a body is to be decoded in pieces; one of a type without arrays never is.

    Raises:
        InvalidArgumentError: msgspec cannot decode into ``type_``.
    """

    __slots__ = ("_piece", "_root", "_shapes", "cut_above", "turns")

    def __init__(self, type_: type[T], turns: Turns, piece: int = PIECE) -> None:
        super().__init__(type_)
        self.turns: Turns = turns
        self._piece = piece
        self._root: Field | None = root(type_, ours=self._ours)
        self._shapes: Shapes | None = shapes(type_, ours=self._ours)
        self.cut_above: int = self._limit()

    async def in_pieces(self, body: bytes | bytearray) -> T:
        """Decode one body, and let others run between its pieces; a bytearray is empty afterwards.

        Raises:
            DecodeError: As in one piece, with the same path.
        """
        if self.type is bytes:
            return cast("T", await as_bytes(body))
        steps = self.steps(body)
        try:
            return await self.turns.run(steps)
        finally:
            steps.close()  # one that was cancelled still looks at the body
            await release(body)

    def steps(self, body: bytes | bytearray) -> Generator[object, None, T]:
        """Decode one body in steps, each of about one piece."""
        if self._root is not None:
            cut = yield from self._outlined(array_outline(body, self._root, self._piece), body)
            return self(body) if cut is None else (yield from self._listed(body, cut))
        found = yield from self.outline(body)
        return self(body) if found is None else (yield from whole(body, found, self))

    def outline(self, body: bytes | bytearray, *, decoded: bool = True) -> Steps[Outline | None]:
        """Give the outline of one body in steps, or None where it is no object with fields.

        Args:
            body: The body.
            decoded: Whether it may hold elements decoded already.

        Raises:
            DecodeError: It is no JSON or breaks off.
        """
        if self._shapes is None:
            return None
        return (yield from self._outlined(outline(body, self._shapes, self._piece, decoded=decoded), body))

    def _limit(self) -> int:
        if self.type is bytes:
            return COPIED
        return self._piece if self._root or self._shapes else sys.maxsize

    def _outlined(self, steps: Steps[S], body: bytes | bytearray) -> Steps[S]:
        try:
            return (yield from steps)
        except BROKEN as error:
            fault = error
        raise decode_error(fault, body)

    def _listed(self, body: bytes | bytearray, cut: Cut) -> Generator[object, None, T]:
        kept: list[Any] = []
        for part in elements(body, cut):
            kept.extend(part)
            yield part
        return cast("T", cut.place.array.made(kept))


class Lent(Generic[T]):
    """Decodes bodies that somebody reads again.

    Args:
        decoder: Does the work.

    Attributes:
        cut_above: As the decoder's.
    """

    def __init__(self, decoder: PiecewiseDecoder[T]) -> None:
        self.cut_above: int = decoder.cut_above
        self._decoder = decoder

    def __call__(self, body: bytes | bytearray) -> T:
        """Decode one body at once."""
        return self._decoder(body)

    async def in_pieces(self, body: bytes | bytearray) -> T:
        """Decode one body in pieces, and leave it as it is."""
        return await self._decoder.turns.run(self._decoder.steps(body))


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
        try:
            known = self._known.get(type_)
        except TypeError as error:  # every type has a hash
            complaint = str(error)
        else:
            if known is None:
                known = self._known[type_] = PiecewiseDecoder(type_, self.turns)
            return known
        raise InvalidArgumentError(f"type cannot be decoded from JSON: {complaint}")
