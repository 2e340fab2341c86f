"""Claims about the steps in which bodies are cut and decoded: small, fair to others, and no work done twice."""

import asyncio
import gc
import json
import sys
import weakref
from typing import Any

import msgspec

from aegis_async._decode import BodyDecoder, Decoders, PiecewiseDecoder
from aegis_async._decode._outline import Decoded
from aegis_async._decode._turns import Turns
from aegis_async.models import DataCollection, DataCollectionSummary, Page, User
from tests.decode.documents import collection, encoded, listing
from tests.decode.steps import PIECE, finished, grown, stepped

full, pieces = BodyDecoder(DataCollection), PiecewiseDecoder(DataCollection, Turns(), PIECE)


class Row(msgspec.Struct):
    """A Struct of a caller's."""

    id: int


def test_a_page_of_anything_is_cut() -> None:
    """Items of a caller's own type, and raw ones, come in pieces too."""
    body = encoded(listing() | {"items": [{"id": i, "name": "x" * 40} for i in range(300)]})
    for item in (Row, msgspec.Raw, dict[str, Any]):
        kind: Any = Page[item]  # type: ignore[valid-type]  # a type held in a variable
        decoder = PiecewiseDecoder(kind, Turns(), PIECE)

        value, steps = stepped(decoder, body)

        assert BodyDecoder(kind)(body) == value
        assert len(steps) >= 2 * len(body) // PIECE


def test_no_step_reads_much_more_than_a_piece() -> None:
    """Where elements are smaller than a piece, each batch is at most a piece, and there are as many as it takes."""
    body = encoded(grown(runs=3, evaluations=60))
    outline, steps = finished(pieces.outline(body, decoded=False))

    runs = outline.cuts[1].batches
    spans = [stop - start for run in runs for start, stop in run.cuts[0].batches]

    assert 3 == len(runs)
    assert all(span <= PIECE for span in spans)
    assert sum(spans) > 0.9 * len(body)
    assert len(steps) >= len(spans)


def test_a_body_is_free_as_soon_as_it_is_cut() -> None:
    """No frame that an error keeps holds on to it until the garbage collector looks, which may be many bodies later."""

    class Body(bytearray):
        """One that tells when it is gone."""

    body = Body(encoded(collection() | {"name": "x" * 3 * PIECE, "runs": collection()["runs"] * 40}))
    left = weakref.ref(body)
    gc.disable()
    try:
        stepped(pieces, body)
        del body

        assert left() is None
    finally:
        gc.enable()


def test_many_tiny_elements_are_many_steps() -> None:
    """A step looks at a bounded number of elements, however small they are."""
    decoder = PiecewiseDecoder(Page[int], Turns(), 1 << 20)
    body = encoded(listing() | {"items": list(range(10_000))})

    value, _ = stepped(decoder, body)
    outline, _ = finished(decoder.outline(body))

    assert tuple(range(10_000)) == value.items
    assert 3 == len(outline.cuts[0].batches)


def test_types_without_arrays_are_decoded_too() -> None:
    """A large body of a type that has no arrays, or of none of ours, is decoded as a whole."""
    user = PiecewiseDecoder(User, Turns(), PIECE)

    assert User(1, "a") == stepped(user, b'{"id":1,"email":"a","x":"' + b"y" * PIECE + b'"}')[0]
    assert sys.maxsize == Decoders().of(Row).cut_above
    assert Row(1) == stepped(Decoders().of(Row), b'{"id":1}')[0]


def test_pieces_are_decoded_where_they_are_found() -> None:
    """Items that look like the first are decoded once, though arrays within them hold others that begin like them."""
    document = listing()
    item = document["items"][0]
    document["items"] = [item | {"id": i, "runs": item["runs"] * 3} for i in range(100)]
    found, _ = finished(PiecewiseDecoder(Page[DataCollectionSummary], Turns(), 64 * PIECE).outline(encoded(document)))

    assert found is not None
    *first, last = found.cuts[0].batches
    assert {Decoded} == {type(batch) for batch in first}
    assert Decoded is not type(last)


def test_items_that_keep_their_text_keep_it() -> None:
    """Raw items of a page that is cut are the items' own bytes, each to the end of its life."""
    document = listing()
    document["items"] = [document["items"][0] | {"id": i} for i in range(40)]
    value, _ = stepped(PiecewiseDecoder(Page[msgspec.Raw], Turns(), 4 * PIECE), encoded(document))

    assert document["items"] == [json.loads(bytes(item)) for item in value.items]


async def test_others_run_between_the_pieces() -> None:
    """Two large bodies decoded at once take fair turns, at most one piece in each turn of the loop."""
    turns, taken, begun = Turns(), [], 0

    def steps(name: str) -> Any:
        for _ in range(5):
            taken.append((begun, name))
            yield ()
        return name

    async def count_turns() -> None:
        nonlocal begun
        while len(taken) < 10:
            begun += 1
            await asyncio.sleep(0)

    first, second, _ = await asyncio.gather(turns.run(steps("first")), turns.run(steps("second")), count_turns())

    assert ("first", "second") == (first, second)
    assert ["first", "second"] * 5 == [name for _, name in taken]
    assert len(taken) == len({turn for turn, _ in taken})


def test_the_turns_survive_their_loop() -> None:
    """A decoder that was used in a loop that is gone works in the next one, also where two bodies wait for a turn."""
    decoder = PiecewiseDecoder(DataCollection, Turns(), PIECE)
    body = encoded(grown(runs=3, evaluations=20))

    async def both() -> tuple[DataCollection, DataCollection]:
        first, second = await asyncio.gather(decoder.in_pieces(body), decoder.in_pieces(body))
        return first, second

    assert (full(body), full(body)) == asyncio.run(both()) == asyncio.run(both())
