"""Claims about calls whose answers are large: they are read in pieces, and give what small ones give."""

from typing import Any

import pytest

from aegis_async import AegisClient, RetryPolicy
from aegis_async._decode import BodyDecoder
from aegis_async._decode._pieces import PIECE
from aegis_async._resources.data_collections import get_bodies
from aegis_async.errors import DecodeError
from aegis_async.models import DataCollection
from tests.decode.documents import collection, encoded, listing
from tests.session.wire import KEY, http, once, wire


def large(**last: Any) -> bytes:
    """Give a collection of more than two pieces, with its last run bent."""
    document = collection()
    run = document["runs"][0]
    document["runs"] = [run | {"id": r} for r in range(2 * PIECE // len(encoded(run)) + 2)]
    document["runs"][-1] |= last
    return encoded(document)


def counted(client: AegisClient, monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Give a list that grows with each step that a client's decoders take in the loop."""
    turns, steps = client._api.decoders.turns, list[None]()
    take = turns.next

    async def counting(parts: Any) -> Any:
        steps.append(None)
        return await take(parts)

    monkeypatch.setattr(turns, "next", counting)
    return steps


async def test_a_large_collection_is_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """``get`` of a body of some pieces takes as many steps and more, and gives the collection."""
    body = large()
    async with wire(http(body)) as served, once(served.url) as client:
        steps = counted(client, monkeypatch)

        full = await client.data_collections.get(14)

    assert BodyDecoder(DataCollection)(body) == full
    assert 2 * len(body) // PIECE <= len(steps)


async def test_a_small_collection_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body up to a piece takes no step at all."""
    async with wire(http(encoded(collection()))) as served, once(served.url) as client:
        steps = counted(client, monkeypatch)

        await client.data_collections.get(14)

    assert [] == steps


async def test_a_large_page_is_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of some pieces gives every item."""
    document = listing()
    item = document["items"][0]
    document["items"] = [item | {"id": i} for i in range(2 * PIECE // len(encoded(item)))]
    async with wire(http(encoded(document))) as served, once(served.url) as client:
        steps = counted(client, monkeypatch)

        found = [summary.id async for summary in client.data_collections.list()]

    assert list(range(len(document["items"]))) == found
    assert 3 <= len(steps)


async def test_a_large_body_is_kept_with_its_value() -> None:
    """What the export fetches has its bytes beside its value, also in pieces."""
    body = large()
    async with wire(http(body)) as served, once(served.url) as client:
        (kept,) = await get_bodies(client.data_collections, [14]).collect()

    assert (14, body, None) == (kept.id, kept.body, kept.error)
    assert BodyDecoder(DataCollection)(body) == kept.value


async def test_a_large_body_that_is_at_fault_is_kept_with_its_error() -> None:
    """A large body that does not decode is a value with its bytes and the place of the fault."""
    body = large(threshold="70")
    async with wire(http(body)) as served, once(served.url) as client:
        (kept,) = await get_bodies(client.data_collections, [14]).collect()

    assert (body, None) == (kept.body, kept.value)
    assert isinstance(kept.error, DecodeError)
    assert kept.error.path.endswith("].threshold")
    assert str(kept.error).endswith("(GET /data-collections/14)")


@pytest.mark.parametrize("call", ["get", "bodies"])
async def test_a_large_body_that_breaks_off_is_asked_for_again(call: str) -> None:
    """A large body whose JSON ends too early is another attempt."""
    body = large()
    async with (
        wire(http(body[:-9]), http(body)) as served,
        AegisClient(KEY, base_url=served.url, retry=RetryPolicy(initial=0)) as client,
    ):
        found: list[Any] = (
            [await client.data_collections.get(14)]
            if call == "get"
            else await get_bodies(client.data_collections, [14]).collect()
        )

    assert [14] == [each.id for each in found]
    assert 2 == len(served.heads)
