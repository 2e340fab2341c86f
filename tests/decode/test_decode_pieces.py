"""Claims about bodies that are cut: the same value and the same error as in one piece, in small steps."""

import asyncio
import gc
import json
import sys
import weakref
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aegis_async._decode import BodyDecoder, Decoders, PiecewiseDecoder, Splitter
from aegis_async._decode._assembly import slices
from aegis_async._decode._outline import Decoded
from aegis_async._decode._turns import Turns
from aegis_async.errors import DecodeError
from aegis_async.models import DataCollection, DataCollectionSummary, Page, Run, User
from tests.decode.documents import collection, encoded, listing, old_revision

PIECE = 2048  # bytes: small enough for small documents to be cut at every depth

full, pieces = BodyDecoder(DataCollection), PiecewiseDecoder(DataCollection, Turns(), PIECE)
page, page_pieces = BodyDecoder(Page[DataCollectionSummary]), PiecewiseDecoder(Page[DataCollectionSummary], Turns(), 64)
side_by_side = PiecewiseDecoder(Page[DataCollectionSummary], Turns(), 24 * PIECE)

free_form = st.dictionaries(
    st.text(max_size=3),  # too short for a field of the service's own
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=6,
    ),
    max_size=3,
)


def stepped(decoder: PiecewiseDecoder[Any], body: bytes | bytearray) -> tuple[Any, list[object]]:
    """Give what a decoder makes of a body in steps, and the steps."""
    return finished(decoder.steps(body))


def outcome(decode: Any, body: bytes) -> Any:
    """Give the value of a body, or what tells its error from others."""
    try:
        return decode(body)
    except DecodeError as error:
        return error.path, error.truncated


def to_the_run(found: Any) -> Any:
    """Give an outcome with no more of an error's path than the run that it is in."""
    match found:
        case (str(path), bool(truncated)):
            return path.partition("]")[0], truncated
    return found


def in_steps(decoder: PiecewiseDecoder[Any]) -> Any:
    """Give a decoder as a function that decodes in steps."""
    return lambda body: stepped(decoder, body)[0]


@st.composite
def collections(draw: st.DrawFn) -> Any:
    """A collection with some datasets, runs and evaluations, each perhaps bent or of an older revision."""
    document = collection()
    run, dataset = document["runs"][0], document["datasets"][0]
    evaluation = run["evaluations"][0]
    document["datasets"] = [dataset | {"id": i} for i in range(draw(st.integers(0, 4)))]
    document["runs"] = [
        bent(
            draw,
            run
            | {
                "id": r,
                "evaluations": [
                    bent(draw, evaluation | {"id": e, "explanation": draw(st.text()), "eval_metadata": draw(free_form)})
                    for e in range(draw(st.integers(0, 7)))
                ],
            },
        )
        for r in range(draw(st.integers(0, 5)))
    ]
    return shuffled(draw, document)


@st.composite
def pages(draw: st.DrawFn) -> Any:
    """A page with many items, each with some runs, each item perhaps bent or of an older revision."""
    document = listing()
    item = document["items"][0]
    run = item["runs"][0]
    document["items"] = [
        bent(draw, item | {"id": i, "runs": [run | {"id": r} for r in range(draw(st.integers(0, 3)))]})
        for i in range(draw(st.integers(0, 20)))
    ]
    return shuffled(draw, document)


def shuffled(draw: st.DrawFn, node: Any) -> Any:
    """Give a document with its fields in another order now and then."""
    if not draw(st.booleans()):
        return node
    return {name: node[name] for name in draw(st.permutations(list(node)))}


def bent(draw: st.DrawFn, node: dict[str, Any]) -> dict[str, Any]:
    """Give a record as it is, or as no revision, an older one or a hostile one has it."""
    hostile: list[dict[str, Any]] = [
        node | {"threshold": "70"},
        {name: value for name, value in node.items() if name != "id"},
        old_revision(node),
        old_revision(node),
        {"unknown": {"deep": [[{}], "},{"]}} | node,
    ]
    if "evaluations" in node:
        hostile.append(node | {"evaluations": draw(st.sampled_from([None, {}, [None], 7, [[]]]))})
    else:
        hostile.append(node | {"evaluation_cost": draw(st.sampled_from(["1.5", 0.25, 7]))})
    return draw(st.sampled_from(hostile)) if draw(st.integers(0, 5)) == 0 else node


@st.composite
def written(draw: st.DrawFn, documents: st.SearchStrategy[Any]) -> bytes:
    """The bytes of a document: with or without blanks and escapes, perhaps broken off or damaged."""
    document = draw(documents)
    body = json.dumps(
        document,
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, None, 1])),
        separators=draw(st.sampled_from([None, (",", ":"), (" ,\n", "\t:\r")])),
    ).encode()
    kind = draw(st.integers(0, 9))
    place = draw(st.integers(0, len(body)))
    if kind == 0:
        return body[:place]
    if kind == 1:
        return body[:place] + draw(st.sampled_from([b"}", b"]", b",", b'"', b"\\", b"[", b"{", b"x"])) + body[place:]
    if kind == 2:
        return body + draw(st.sampled_from([b" ", b"\n\n", b"x", b"{}", b","]))
    return body


@settings(max_examples=200)
@given(body=written(collections()))
@example(body=b"{}")
@example(body=b" ")
@example(body=b"[]")
@example(body=b'{"id":1,}')
@example(body=b'{"id" 1}')
@example(body=b'{"id":1 "name":2}')
@example(body=b'{"id":1,"runs":[1 2]}')
@example(body=b'{"id":1,"runs":[1,]}')
@example(body=b'{"id":1,"runs":[')
def test_a_cut_collection_is_the_same_as_in_one_piece(body: bytes) -> None:
    """Whatever a body holds and however it is written, pieces give the value, or the error's path, of the whole."""
    assert outcome(full, body) == outcome(in_steps(pieces), body)


@given(body=written(st.builds(listing)))
def test_a_cut_page_is_the_same_as_in_one_piece(body: bytes) -> None:
    """A page whose every item is cut, and whose items' runs are, is the page that it is in one piece."""
    assert outcome(page, body) == outcome(in_steps(page_pieces), body)


@given(body=written(pages()))
def test_a_page_cut_between_items_is_the_same_as_in_one_piece(body: bytes) -> None:
    """A page of many items, side by side in pieces, is the page that it is in one piece, however they are bent."""
    assert outcome(page, body) == outcome(in_steps(side_by_side), body)


@given(written(collections()))
def test_slices_put_together_are_the_runs(body: bytes) -> None:
    """Whatever a body holds, its slices are the runs of the whole; a fault is in the same run, or before all runs."""
    whole, cut = outcome(lambda text: full(text).runs, body), outcome(sliced, body)
    before = outcome(lambda text: Splitter(pieces, "runs")(text).turns, body)

    if isinstance(before, Turns):
        assert to_the_run(whole) == to_the_run(cut)
    else:
        assert before == cut
        assert isinstance(whole[0], str)


@pytest.mark.parametrize("bend", [{"evaluation_cost": "NaN"}, {"threshold": "70"}], ids=str)
@pytest.mark.parametrize("count", [1, 3, 40])
def test_a_fault_in_a_slice_keeps_its_place(bend: dict[str, object], count: int) -> None:
    """A fault in the last evaluation of the last run has the path that it has in the whole, in however many slices."""
    body = encoded(grown(runs=count, evaluations=count, last=bend))

    assert outcome(full, body) == outcome(sliced, body)


@pytest.mark.parametrize("bend", [{"evaluation_cost": "NaN"}, {"threshold": "70"}, {"id": None}], ids=str)
@pytest.mark.parametrize("count", [1, 3, 40])
def test_a_fault_keeps_its_place(bend: dict[str, object], count: int) -> None:
    """A fault in the last evaluation of the last run has the path, and the words, that it has in the whole."""
    body = encoded(grown(runs=count, evaluations=count, last=bend))

    with pytest.raises(DecodeError) as whole:
        full(body)
    with pytest.raises(DecodeError) as cut:
        stepped(pieces, body)

    assert f"$.runs[{count - 1}].evaluations[{count - 1}].{next(iter(bend))}" == cut.value.path
    assert whole.value.args == cut.value.args


def test_of_several_faults_the_first_in_the_body_is_named() -> None:
    """Faults in both arrays and in a field between them: the first is the one in the error, as in one piece."""
    document = grown(runs=9, evaluations=9, last={"id": "x"}) | {"name": 7}
    document["datasets"] = [document["datasets"][0] | {"id": i} for i in [*range(20), "x"]]
    for order in (["datasets", "runs", "name"], ["runs", "name", "datasets"], ["name", "datasets", "runs"]):
        body = encoded({name: document[name] for name in [*order, *(set(document) - set(order))]})

        assert outcome(full, body) == outcome(in_steps(pieces), body)


def test_of_a_field_that_comes_twice_the_last_counts() -> None:
    """An array that a hostile body holds twice is the last one, as in one piece; even if the first is at fault."""
    body = encoded(grown(runs=5, evaluations=5))
    twice = body[:-1] + b', "\\u0072uns": []}'
    faulty = body.replace(b'"threshold": 70', b'"threshold": "70"')[:-1] + b', "runs": []}'

    assert () == stepped(pieces, twice)[0].runs == full(twice).runs
    assert outcome(full, faulty) == outcome(in_steps(pieces), faulty)


@pytest.mark.parametrize("where", ["explanation", "model_slug"])
@pytest.mark.parametrize("text", ["},{", "}, {", "]}", '"', "\\", '\\"},{'], ids=repr)
def test_text_that_looks_like_an_end_is_text(where: str, text: str) -> None:
    """Brackets and quotes inside strings end nothing."""
    document = grown(runs=2, evaluations=40, last={where: text * 300})

    assert full(encoded(document)) == stepped(pieces, encoded(document))[0]


@pytest.mark.parametrize("junk", [b"\xff", b"\xc3"])
def test_bytes_that_are_no_text_are_refused(junk: bytes) -> None:
    """What is not UTF-8 is refused at the root, wherever it is: no path can be given."""
    body = encoded(grown(runs=3, evaluations=9)).replace(b"gpt-4o", junk)

    assert ("$", False) == outcome(in_steps(pieces), body) == outcome(full, body)


@pytest.mark.parametrize("depth", [1_000_000])
def test_nesting_without_end_is_refused(depth: int) -> None:
    """What is nested too deeply, in a field of the collection or of an evaluation, is a DecodeError."""
    deep = b"[" * depth + b"]" * depth
    for body in (b'{"x":' + deep + b"}", encoded(grown(runs=1, evaluations=9)).replace(b'"gpt-4o"', deep)):
        with pytest.raises(DecodeError, match="nested too deeply"):
            stepped(pieces, body)


def test_a_value_that_nothing_can_cut_stays_whole() -> None:
    """A string or a free-form object larger than a piece, and an element of neither shape, come out as they are."""
    metadata = {"notes": "x" * 4 * PIECE, "scores": list(range(PIECE))}
    document = grown(runs=2, evaluations=9, last={"eval_metadata": metadata})
    document["runs"][0]["aggregate_results"] = {str(i): i for i in range(PIECE)}

    assert full(encoded(document)) == stepped(pieces, encoded(document))[0]


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


def sliced(body: bytes) -> tuple[Run, ...]:
    """Give the runs of a body as its slices have them, and the fault of its other fields first."""
    split = Splitter(pieces, "runs")(body)
    runs: list[Run] = []
    for part in slices(body, split.cut) if split.cut else ():
        if part.continues:
            (more,) = part.elements
            runs[-1] = msgspec.structs.replace(more, evaluations=runs[-1].evaluations + more.evaluations)
        else:
            runs += part.elements
    return tuple(runs)


class Row(msgspec.Struct):
    """A Struct of a caller's."""

    id: int


def grown(*, runs: int, evaluations: int, last: dict[str, Any] | None = None) -> Any:
    """Give the page's collection with more runs, each with more evaluations, the very last one bent."""
    document = collection()
    run = document["runs"][0]
    evaluation = run["evaluations"][0]
    document["runs"] = [
        run | {"id": r, "evaluations": [evaluation | {"id": e} for e in range(evaluations)]} for r in range(runs)
    ]
    document["runs"][-1]["evaluations"][-1] |= last or {}
    return document


def finished(steps: Any) -> tuple[Any, list[object]]:
    """Take every step, and give the result and the steps."""
    results: list[Any] = []

    def kept() -> Any:
        results.append((yield from steps))

    taken = list(kept())
    return results[0], taken


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
