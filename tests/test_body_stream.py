"""Claims about one very large collection with its bytes, as the export reads it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from aegis_async import AegisClient, RetryPolicy
from aegis_async._decode import BodyDecoder, Decoders, Splitter
from aegis_async._decode._pieces import PIECE
from aegis_async._resources._streams import KeepingSplitter
from aegis_async._resources.data_collections import BodyStream, get_bodies, is_too_large, stream_body
from aegis_async.errors import APIConnectionError, ClientClosedError, DecodeError, NotFoundError, RequestError
from aegis_async.models import DataCollection, Evaluation
from tests.decode.documents import collection, encoded
from tests.session.wire import KEY, RESET, http, once, wire


def grown(runs: int = 9, **last: Any) -> Any:
    """Give the page's collection with more runs, the last one bent."""
    document = collection()
    document["runs"] = [document["runs"][0] | {"id": r} for r in range(runs)]
    document["runs"][-1] |= last
    return document


def with_a_huge_run() -> Any:
    """Give a collection whose second run of three is larger than two pieces."""
    document = grown(3)
    evaluation = document["runs"][0]["evaluations"][0]
    count = 2 * PIECE // len(encoded(evaluation)) + 2
    document["runs"][1] |= {"evaluations": [evaluation | {"id": e} for e in range(count)]}
    return document


@asynccontextmanager
async def opened(body: bytes) -> AsyncIterator[BodyStream]:
    """Give the stream of a body, as one answer brings it."""
    async with (
        wire(http(body)) as served,
        once(served.url) as client,
        stream_body(client.data_collections, 14) as stream,
    ):
        yield stream


async def test_the_bytes_are_those_that_came_however_often_they_are_read() -> None:
    """The body comes byte for byte in pieces, from the start with each walk."""
    body = encoded(with_a_huge_run())
    async with opened(body) as stream:
        first, second = list(stream.raw()), list(stream.raw())

    assert (14, len(body), body) == (stream.id, stream.size, b"".join(first))
    assert first == second
    assert all(len(piece) <= 1 << 18 for piece in first)


async def test_the_slices_put_together_are_the_runs() -> None:
    """Own fields and runs are those of the whole; a run larger than a piece comes first without its evaluations."""
    body = encoded(with_a_huge_run())
    full = BodyDecoder(DataCollection)(body)
    async with opened(body) as stream:
        slices = [part async for part in stream.slices()]

    assert stream.collection is not None
    assert ("My bundle", full.datasets) == (stream.collection.name, stream.collection.datasets)
    assert [0, 1, 2] == [run.id for part in slices if not part.continues for run in part.elements]
    rest = [run for part in slices if part.continues for run in part.elements]
    assert 2 <= len(rest)
    assert full.runs[1].evaluations == sum((run.evaluations for run in rest), tuple[Evaluation, ...]())
    assert all(msgspec.structs.replace(run, evaluations=full.runs[1].evaluations) == full.runs[1] for run in rest)


async def test_no_slice_holds_much_more_than_a_piece() -> None:
    """However large a run, the evaluations of one slice are those of about half a megabyte of the body."""
    body = encoded(with_a_huge_run())
    async with opened(body) as stream:
        most = max([len(run.evaluations) async for part in stream.slices() for run in part.elements])

    assert most <= PIECE // len(encoded(collection()["runs"][0]["evaluations"][0]))


@pytest.mark.parametrize("body", [encoded(grown() | {"id": "x"}), b"[]", b"{]", b'{"runs": [], "runs": 1}'], ids=repr)
async def test_what_is_no_collection_is_there_with_its_error(body: bytes) -> None:
    """A body that is none keeps its bytes, says why in ``error``, and has no slices."""
    async with opened(body) as stream:
        slices = [part async for part in stream.slices()]
        kept = b"".join(stream.raw())

    assert (None, [], body) == (stream.collection, slices, kept)
    assert isinstance(stream.error, DecodeError)
    assert str(stream.error).endswith("(GET /data-collections/14)")


async def test_a_faulty_run_loses_neither_the_runs_before_it_nor_the_bytes() -> None:
    """What stands before a fault is given, the error has its place, and the bytes can still be read."""
    body = encoded(grown(threshold="70"))
    found: list[int] = []
    async with opened(body) as stream:
        with pytest.raises(DecodeError, match=r"^runs\[8\].*\(GET /data-collections/14\)$") as caught:
            async for part in stream.slices():
                found += [run.id for run in part.elements]
        kept = b"".join(stream.raw())

    assert (list(range(8)), body) == (found, kept)
    assert "$.runs[8].threshold" == caught.value.path


async def test_a_body_that_breaks_off_is_asked_for_again_before_any_of_it_is_given() -> None:
    """A fault in the middle of the body, of the wire or of the JSON, is another attempt that nobody sees."""
    body = encoded(grown())
    whole = http(body)
    async with (
        wire((whole[:-30], RESET), http(body[:-20]), whole) as served,
        AegisClient(KEY, base_url=served.url, retry=RetryPolicy(initial=0)) as client,
        stream_body(client.data_collections, 14) as stream,
    ):
        kept = b"".join(stream.raw())

    assert (body, 3) == (kept, len(served.heads))


async def test_the_error_of_a_body_that_is_too_large_is_known() -> None:
    """A body above ``max_size`` is an error that is a case for ``stream_body``, and no other error is that one."""
    body = encoded(grown())
    async with wire(http(body)) as served, once(served.url) as client:
        (large,) = [o async for o in get_bodies(client.data_collections, [14], max_size=len(body) - 1).outcomes()]
        (sound,) = [o async for o in get_bodies(client.data_collections, [14], max_size=len(body)).outcomes()]

    assert isinstance(large.error, RequestError)
    assert [True, False] == [is_too_large(large.error), is_too_large(sound.error)]
    assert not is_too_large(APIConnectionError("the body broke off"))
    assert not is_too_large(NotFoundError("GET /data-collections/14: 404", status=404))


async def test_the_bytes_are_gone_afterwards() -> None:
    """After the ``async with`` neither bytes nor slices are given."""
    async with opened(encoded(grown())) as stream:
        pass

    with pytest.raises(ClientClosedError, match="stream is closed"):
        next(stream.raw())
    with pytest.raises(ClientClosedError, match="stream is closed"):
        await anext(stream.slices())


@pytest.mark.parametrize("body", [encoded(grown()), b"[]"], ids=["sound", "none"])
def test_a_body_is_split_at_once_too(body: bytes) -> None:
    """Without a loop the same comes of a body, as with every other decoder."""
    places: list[DecodeError] = []
    splitter = KeepingSplitter(Splitter(Decoders().of(DataCollection), "runs"), 14, places.append)

    at_once, in_pieces = splitter(body), asyncio.run(_awaited(splitter, body))

    assert at_once.collection == in_pieces.collection
    assert str(at_once.error) == str(in_pieces.error)
    assert [each.error for each in (at_once, in_pieces) if each.error] == places
    assert body == b"".join(at_once.raw())


async def _awaited(splitter: KeepingSplitter, body: bytes) -> BodyStream:
    return await splitter.in_pieces(body)
