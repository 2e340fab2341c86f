"""Claims about large bodies that are copied and given back in parts."""

import asyncio
from typing import Any

import pytest

from aegis_async._decode import Lent, PiecewiseDecoder, _bodies, as_bytes
from aegis_async._decode._turns import Turns
from aegis_async.errors import DecodeError
from aegis_async.models import DataCollection
from tests.decode.documents import collection, encoded

PIECE = 2048
LIMIT = 1000


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have small bodies count as large."""
    monkeypatch.setattr(_bodies, "COPIED", LIMIT)
    monkeypatch.setattr(_bodies, "_FREED_AT_ONCE", LIMIT)


def large() -> bytearray:
    """Give a collection of some pieces."""
    document = collection()
    return bytearray(encoded(document | {"runs": document["runs"] * 9}))


class Watched(bytearray):
    """Notes every length that it shrinks to."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.lengths: list[int] = []

    def __delitem__(self, key: Any) -> None:
        super().__delitem__(key)
        self.lengths.append(len(self))


@pytest.mark.parametrize("size", [0, 1, LIMIT, LIMIT + 1, 9 * LIMIT])
async def test_a_copy_has_every_byte(size: int) -> None:
    """A bytearray of any size becomes bytes, and is empty then; bytes stay what they are."""
    content = bytes(i % 251 for i in range(size))
    body = bytearray(content)

    copied = await as_bytes(body)

    assert (content, b"") == (copied, bytes(body))
    assert content is await as_bytes(content)


async def test_a_body_is_given_back_by_halves() -> None:
    """Each step gives back half of what is left and a byte, down to what may be given back at once."""
    body = Watched(bytes(8 * LIMIT))

    await _bodies.release(body)

    assert [4 * LIMIT - 1, 2 * LIMIT - 1, LIMIT - 1] == body.lengths
    assert b"" == bytes(body)


async def test_a_body_is_given_back_once_it_is_decoded() -> None:
    """After decoding in pieces, sound or not, nothing is left of a bytearray for the loop to free at once."""
    decoder = PiecewiseDecoder(DataCollection, Turns(), PIECE)
    sound, faulty = large(), large().replace(b'"threshold": 70', b'"threshold": "70"')

    value = await decoder.in_pieces(sound)
    with pytest.raises(DecodeError):
        await decoder.in_pieces(faulty)

    assert 9 == len(value.runs)
    assert (b"", b"") == (bytes(sound), bytes(faulty))


async def test_a_body_is_given_back_when_its_reader_is_cancelled() -> None:
    """A call that is cancelled in the middle of decoding gives the body back too."""
    body = large()
    task = asyncio.create_task(PiecewiseDecoder(DataCollection, Turns(), PIECE).in_pieces(body))
    await asyncio.sleep(0)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert b"" == bytes(body)


async def test_what_is_lent_stays_whole() -> None:
    """A body that somebody reads again is left as it is, in pieces and at once."""
    lent, body = Lent(PiecewiseDecoder(DataCollection, Turns(), PIECE)), large()
    before = bytes(body)

    value = await lent.in_pieces(body)

    assert value == lent(body)
    assert (PIECE, before) == (lent.cut_above, bytes(body))


async def test_a_body_that_is_wanted_as_bytes_is_copied_in_parts() -> None:
    """``bytes`` as the type gives the body, above four megabytes in parts."""
    decoder, body = PiecewiseDecoder(bytes, Turns()), large()
    before = bytes(body)

    assert before == await decoder.in_pieces(body)
    assert 4 << 20 == decoder.cut_above
