"""Claims about bodies on their way out of their compression."""

import gzip
import subprocess
import sys
import zlib
from collections.abc import Callable
from typing import Final

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_async._session import _coding
from aegis_async._session._coding import ACCEPTED, PIECE, CutError, Decoding, GarbledError
from tests.session.wire import http, once, wire
from tests.session.zstd import zstd


def bare_deflate(data: bytes) -> bytes:
    """Give what some servers send under the name of deflate."""
    return zlib.compress(data)[2:-4]


CODINGS: Final[dict[str, tuple[str, Callable[[bytes], bytes]]]] = {
    "gzip": ("gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "bare deflate": ("deflate", bare_deflate),
    "br": ("br", brotli.compress),
    "zstd": ("zstd", zstd.compress),
    "capitals": ("GZIP", gzip.compress),
}
each_coding = pytest.mark.parametrize(("name", "compress"), CODINGS.values(), ids=CODINGS)
each_backend = pytest.mark.parametrize("backend", [_coding._zlib, zlib], ids=["with the extra", "without"])
DATA: Final = bytes(range(256)) * 300 + bytes(100_000)


def decoded(name: str, body: bytes, size: int = 1000) -> bytes:
    """Give what comes out when ``body`` comes in pieces of so many bytes."""
    decoding = Decoding([name])
    out = b"".join(piece for at in range(0, len(body), size) for piece in decoding.feed(body[at : at + size]))
    decoding.end()
    return out


@each_backend
@each_coding
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_what_went_in_comes_out(
    name: str, compress: Callable[[bytes], bytes], size: int, backend: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In pieces of any size, with and without the faster library, a body comes out as it went in."""
    monkeypatch.setattr(_coding, "_zlib", backend)

    assert DATA == decoded(name, compress(DATA), size)
    assert b"" == decoded(name, compress(b""), size)
    assert b"" == decoded(name, b"")


@each_backend
@each_coding
def test_a_stream_cut_anywhere_is_seen(
    name: str, compress: Callable[[bytes], bytes], backend: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a stream is cut, be it one byte before its end, it is not taken for whole."""
    monkeypatch.setattr(_coding, "_zlib", backend)
    whole = compress(DATA[:5000])

    for at in {*range(1, len(whole), 17), len(whole) - 1}:
        with pytest.raises(CutError, match="stream is cut"):
            decoded(name, whole[:at])


@each_backend
@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
@given(garbage=st.binary(min_size=1, max_size=50))
def test_garbage_raises_nothing_else(name: str, garbage: bytes, backend: object) -> None:
    """Bytes in no coding give one of the two errors, or by chance a body."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_coding, "_zlib", backend)
        try:
            decoded(name, garbage)
        except (CutError, GarbledError) as error:
            assert name in str(error)
            assert error.__context__ is None


@each_backend
@pytest.mark.parametrize(("name", "compress"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
def test_joined_streams_are_one_body(
    name: str, compress: Callable[[bytes], bytes], backend: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several streams in a row, as some servers join them, are one body; thousands of them are none."""
    monkeypatch.setattr(_coding, "_zlib", backend)

    assert DATA * 2 == decoded(name, compress(DATA) * 2, 1 << 20)
    with pytest.raises(GarbledError, match="joined from more than 1024"):
        decoded(name, compress(b"x") * 1025, 1 << 20)


@each_backend
@each_coding
def test_it_comes_out_in_bounded_pieces(
    name: str, compress: Callable[[bytes], bytes], backend: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However little goes in, no piece that comes out is larger than the bound."""
    monkeypatch.setattr(_coding, "_zlib", backend)

    sizes = [len(piece) for piece in Decoding([name]).feed(compress(bytes(20 * PIECE)))]

    assert 20 * PIECE == sum(sizes)
    assert 2 * PIECE >= max(sizes)


@pytest.mark.parametrize("codings", [["compress"], ["gzip", "gzip"], ["br;q=1"], ["gzip, br"]])
def test_a_coding_that_nobody_asked_for_is_refused(codings: list[str]) -> None:
    """What is not in Accept-Encoding, or is applied twice, is refused by name."""
    with pytest.raises(GarbledError, match=repr(", ".join(codings))):
        Decoding(codings)


@pytest.mark.parametrize("codings", [[], [""], ["identity"]])
def test_no_coding_changes_nothing(codings: list[str]) -> None:
    """A body without a coding passes as it is, and ends anywhere."""
    decoding = Decoding(codings)

    assert [b"a", b"b"] == [piece for chunk in (b"a", b"b") for piece in decoding.feed(chunk)]
    decoding.end()


async def test_the_client_asks_for_what_it_can_read() -> None:
    """Accept-Encoding names exactly the codings whose decoders are there: with the extra, all four."""
    async with wire(http()) as served, once(served.url) as client:
        await client.fetch("/x", bytes)

    assert "gzip, deflate, br, zstd" == ACCEPTED
    assert f"Accept-Encoding: {ACCEPTED}\r\n" in served.heads[0]


def test_without_the_extra_it_asks_for_the_two() -> None:
    """Where no further decoder is installed, it asks for gzip and deflate."""
    script = (
        "import sys\n"
        "for name in ('isal', 'brotli', 'backports.zstd', 'compression.zstd'): sys.modules[name] = None\n"
        "from aegis_async._session._coding import ACCEPTED, _zlib\n"
        "print(ACCEPTED, _zlib.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603 - ours

    assert "gzip, deflate zlib\n" == done.stdout
