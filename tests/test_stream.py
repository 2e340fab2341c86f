"""Claims about one very large collection, read run by run."""

import json
from typing import Any

import pytest

from aegis_async import AegisClient, RetryPolicy
from aegis_async._decode import Decoders, PiecewiseDecoder, Splitter
from aegis_async._decode._turns import Turns
from aegis_async.errors import ClientClosedError, DecodeError, InvalidArgumentError, NotFoundError, RequestError
from aegis_async.models import DataCollection, Run
from aegis_async.sandbox import Sandbox
from tests.decode.documents import collection, encoded, old_revision
from tests.session.wire import KEY, http, once, wire

PIECE = 2048


def grown(runs: int = 9) -> Any:
    """Give the page's collection with more runs."""
    document = collection()
    document["runs"] = [document["runs"][0] | {"id": r} for r in range(runs)]
    return document


async def streamed(answer: bytes, **options: Any) -> tuple[Any, list[Run]]:
    """Give a collection's own fields and its runs, as one answer brings them."""
    async with (
        wire(answer) as served,
        once(served.url) as client,
        client.data_collections.stream(14, **options) as stream,
    ):
        return stream.collection, [run async for run in stream.runs()]


async def test_a_stream_gives_what_get_gives(client: AegisClient) -> None:
    """The collection's own fields come first, then each of its runs, the same as in the whole."""
    full = await client.data_collections.get(4)

    async with client.data_collections.stream(4) as stream:
        runs = [run async for run in stream.runs()]

    assert full.runs == tuple(runs)
    assert runs
    for field in stream.collection.__struct_fields__:
        assert getattr(full, field) == getattr(stream.collection, field)


@pytest.mark.parametrize("place", [0, 3, 99])
async def test_the_own_fields_are_first_wherever_they_stand(place: int) -> None:
    """Whether the service writes the runs first, in the middle or last, the fields are there before any run is read."""
    document = grown()
    fields = [(name, value) for name, value in document.items() if name != "runs"]
    fields.insert(place, ("runs", document["runs"]))

    head, runs = await streamed(http(encoded(dict(fields))))

    assert ("My bundle", 1) == (head.name, len(head.datasets))
    assert list(range(9)) == [run.id for run in runs]


async def test_an_older_revision_is_streamed_too() -> None:
    """Runs of an older shape end in the same types."""
    head, runs = await streamed(http(encoded(old_revision(grown()))))

    assert head.author_email is None
    assert 2 == runs[0].run_type.id


async def test_a_collection_without_runs_has_none() -> None:
    """An empty array of runs is no run, and no error."""
    assert [] == (await streamed(http(encoded(grown(0)))))[1]


async def test_each_walk_begins_anew(client: AegisClient) -> None:
    """The runs can be walked twice, also after a walk that was left early."""
    async with client.data_collections.stream(4) as stream:
        async for _ in stream.runs():
            break
        first = [run.id async for run in stream.runs()]
        second = [run.id async for run in stream.runs()]

    assert first == second


async def test_max_size_stands_above_the_clients_limit() -> None:
    """A body larger than ``max_body_size`` streams, and one larger than ``max_size`` is refused, by that name."""
    body = encoded(grown())
    async with wire(http(body)) as served, once(served.url, max_body_size=100) as client:
        async with client.data_collections.stream(14) as stream:
            assert len(body) == stream.size
        with pytest.raises(RequestError, match=r"larger than max_size \(1000\)"):
            async with client.data_collections.stream(14, max_size=1000):
                pass
        with pytest.raises(RequestError, match=r"larger than max_body_size \(100\)"):
            await client.data_collections.get(14)


async def test_a_body_that_breaks_off_is_asked_for_again() -> None:
    """JSON that ends too early is another attempt, before anything of it was given."""
    body = encoded(grown())
    policy = RetryPolicy(initial=0)
    async with (
        wire(http(body[:-20]), http(body)) as served,
        AegisClient(KEY, base_url=served.url, retry=policy) as client,
        client.data_collections.stream(14) as stream,
    ):
        runs = [run async for run in stream.runs()]

    assert (9, 2) == (len(runs), len(served.heads))


@pytest.mark.parametrize(
    ("bend", "path"), [({"id": "x"}, "$.id"), ({"runs": None}, "$.runs"), ({"datasets": [{}]}, "$.datasets[0]")]
)
async def test_a_fault_in_the_own_fields_comes_at_once(bend: dict[str, object], path: str) -> None:
    """What is wrong outside of the runs is known before the first of them."""
    with pytest.raises(DecodeError, match="GET /data-collections/14") as caught:
        await streamed(http(encoded(grown() | bend)))

    assert path == caught.value.path


@pytest.mark.parametrize("body", [b"[]", b"{}", b"", b"null"])
async def test_what_is_no_collection_is_refused(body: bytes) -> None:
    """An answer that is no object with runs never looks like a collection without any."""
    with pytest.raises(DecodeError):
        await streamed(http(body))


async def test_a_faulty_run_loses_none_before_it() -> None:
    """The runs before a faulty one are given, and the error says where in the body it is."""
    document = grown()
    document["runs"][6]["threshold"] = "70"
    found: list[int] = []
    async with (
        wire(http(encoded(document))) as served,
        once(served.url) as client,
        client.data_collections.stream(14) as stream,
    ):
        with pytest.raises(DecodeError, match=r"^runs\[6\].*\(GET /data-collections/14\)$") as caught:
            async for run in stream.runs():
                found.append(run.id)  # noqa: PERF401 - kept up to the error

    assert list(range(6)) == found
    assert "$.runs[6].threshold" == caught.value.path


async def test_a_closed_stream_says_so(client: AegisClient) -> None:
    """After the ``async with`` the bytes are gone, and whoever still reads hears of it."""
    async with client.data_collections.stream(4) as stream:
        walk = stream.runs()
        await anext(walk)

    with pytest.raises(ClientClosedError, match="stream is closed"):
        await anext(walk)
    with pytest.raises(ClientClosedError, match="stream is closed"):
        await anext(stream.runs())
    await stream.aclose()


@pytest.mark.parametrize(
    ("arguments", "name"),
    [({"id": 0}, "id"), ({"id": 1, "max_size": 0}, "max_size"), ({"id": 1, "shared": "x"}, "shared")],
    ids=str,
)
async def test_a_stream_refuses_what_cannot_be(
    arguments: dict[str, Any], name: str, client: AegisClient, sandbox: Sandbox
) -> None:
    """An argument outside its bounds is named, and nothing was sent."""
    with pytest.raises(InvalidArgumentError, match=f"^{name} must be"):
        async with client.data_collections.stream(**arguments):
            pass

    assert [] == sandbox.requests


async def test_an_unknown_collection_is_not_found(client: AegisClient) -> None:
    """The service's own error comes out of entering the stream."""
    with pytest.raises(NotFoundError):
        async with client.data_collections.stream(999):
            pass


@pytest.mark.parametrize("shared", [True, False])
async def test_shared_is_sent(shared: bool, client: AegisClient, sandbox: Sandbox) -> None:
    """``shared`` goes out as it does with ``get``."""
    async with client.data_collections.stream(3 if shared else 1, shared=shared):
        pass

    assert json.dumps(shared) == sandbox.requests[0].query["shared"]


async def test_runs_are_decoded_about_a_piece_at_a_time() -> None:
    """However large a collection, no more of its runs are decoded than make a piece."""
    decoder = PiecewiseDecoder(DataCollection, Turns(), PIECE)
    body = encoded(grown(40))
    split = await Splitter(decoder, "runs").in_pieces(body)

    batches = split.cut.batches if split.cut else []

    assert () == split.value.runs
    assert 10 < len(batches)
    assert all(isinstance(batch, tuple) and batch[1] - batch[0] <= PIECE for batch in batches)
    assert list(range(40)) == [run.id async for run in split.elements()]


async def test_a_closed_stream_holds_no_body() -> None:
    """What the body took is given back with the stream."""
    body = bytearray(encoded(grown()))
    split = Splitter(Decoders().of(DataCollection), "runs")(body)

    await split.release()

    assert (b"", b"") == (split.body, bytes(body))
