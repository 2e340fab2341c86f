"""Bodies out of their compression: in bounded pieces, and never a part that passes for the whole."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any, Final, Protocol

__all__ = ["ACCEPTED", "PIECE", "CutError", "Decoding", "GarbledError"]

PIECE: Final = 262_144  # bytes that come out at once: half a millisecond of work
_MOST_PARTS: Final = 1024  # that a stream may be joined from: each costs more than its bytes
_NONE: Final = ("", "identity")
_GZIP, _ZLIB, _DEFLATE = 31, 15, -15  # what zlib calls the window's bits


class CutError(Exception):
    """The compressed stream stops before its end."""


class GarbledError(Exception):
    """The body is not in the coding that its head names, or nobody here knows that coding."""


class _Part(Protocol):
    """One compressed stream."""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Give what ``data`` holds, in bounded pieces."""

    @property
    def ended(self) -> bool:
        """Whether its end has come."""

    @property
    def rest(self) -> bytes:
        """What came after its end."""


class _Native:
    """A stream of which the library itself keeps what came after the end."""

    _object: Any

    @property
    def ended(self) -> bool:
        return bool(self._object.eof)

    @property
    def rest(self) -> bytes:
        return bytes(self._object.unused_data)


class _Zlib(_Native):
    def __init__(self, window: int) -> None:
        self._object = _zlib.decompressobj(window)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        piece = self._object.decompress(data, PIECE)
        while piece:
            yield piece
            piece = self._object.decompress(self._object.unconsumed_tail, PIECE)


class _Zstd(_Native):
    def __init__(self) -> None:
        self._object = _zstd.ZstdDecompressor()

    def pieces(self, data: bytes) -> Iterator[bytes]:
        while True:
            piece = self._object.decompress(data, PIECE)
            if piece:
                yield piece
            if self._object.eof or self._object.needs_input:
                return
            data = b""


class _Brotli:
    rest: bytes = b""  # it refuses whatever comes after its end

    def __init__(self) -> None:
        self._object = _brotli.Decompressor()

    def pieces(self, data: bytes) -> Iterator[bytes]:
        piece = self._object.process(data, output_buffer_limit=PIECE)
        while piece:
            yield piece
            piece = b"" if self.ended else self._object.process(b"", output_buffer_limit=PIECE)

    @property
    def ended(self) -> bool:
        return bool(self._object.is_finished())


class Decoding:
    """One body on its way out of its coding.

    Args:
        codings: Every ``Content-Encoding`` of its head.

    Raises:
        GarbledError: It is a coding that nobody asked for, or several.
    """

    def __init__(self, codings: Iterable[str]) -> None:
        self._name = ", ".join(codings).strip().lower()
        if self._name not in _CODINGS and self._name not in _NONE:
            raise GarbledError(f"its coding is {self._name!r}, which nobody asked for")
        self._begin = _CODINGS.get(self._name)
        self._part: _Part | None = None
        self._parts = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Give what ``data`` holds, in pieces of ``PIECE`` bytes at most.

        Raises:
            GarbledError: It is in another coding than was said.
        """
        if self._begin is None:
            yield data
            return
        try:
            while data:
                part = self._part_for(self._begin, data)
                yield from part.pieces(data)
                data = part.rest if part.ended else b""
        except _ERRORS:
            garbled = True
        else:
            garbled = False
        if garbled:
            raise GarbledError(f"it is no {self._name}")

    def end(self) -> None:
        """Hear that nothing more comes.

        Raises:
            CutError: There ought to be more.
        """
        if self._part is not None and not self._part.ended:
            raise CutError(f"the {self._name} stream is cut")

    def _part_for(self, begin: Callable[[bytes], _Part], data: bytes) -> _Part:
        if self._part is None or self._part.ended:
            self._parts += 1
            if self._parts > _MOST_PARTS:
                raise GarbledError(f"its {self._name} stream is joined from more than {_MOST_PARTS}")
            self._part = begin(data)
        return self._part


def _deflate(data: bytes) -> _Part:
    # The standard says zlib; some servers have always sent bare deflate under this name.
    return _Zlib(_ZLIB if data[0] & 0xF == 8 else _DEFLATE)  # noqa: PLR2004 - the method that zlib's first byte names


def _found(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        return None


_zlib: Final = _found("isal.isal_zlib") or zlib
_zstd: Final = _found("compression.zstd") or _found("backports.zstd")
_brotli: Final = _found("brotli")

_CODINGS: Final[Mapping[str, Callable[[bytes], _Part]]] = {
    "gzip": lambda _: _Zlib(_GZIP),
    "deflate": _deflate,
    # Older ones can be made to give any amount at once.
    **({"br": lambda _: _Brotli()} if hasattr(getattr(_brotli, "Decompressor", None), "can_accept_more_data") else {}),
    **({"zstd": lambda _: _Zstd()} if _zstd else {}),
}
_ERRORS: Final = (
    zlib.error,
    EOFError,
    *(getattr(module, name) for module, name in ((_zlib, "error"), (_zstd, "ZstdError"), (_brotli, "error")) if module),
)

ACCEPTED: Final = ", ".join(_CODINGS)
"""The value of Accept-Encoding."""
