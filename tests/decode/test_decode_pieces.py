"""Claims about bodies that are cut: the same value and the same error as in one piece."""

from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aegis_async._decode import BodyDecoder, PiecewiseDecoder, Splitter
from aegis_async._decode._assembly import slices
from aegis_async._decode._turns import Turns
from aegis_async.errors import DecodeError
from aegis_async.models import DataCollection, DataCollectionSummary, Page, Run
from tests.decode.documents import encoded, listing
from tests.decode.steps import PIECE, grown, stepped
from tests.decode.written import collections, pages, written

full, pieces = BodyDecoder(DataCollection), PiecewiseDecoder(DataCollection, Turns(), PIECE)
page, page_pieces = BodyDecoder(Page[DataCollectionSummary]), PiecewiseDecoder(Page[DataCollectionSummary], Turns(), 64)
side_by_side = PiecewiseDecoder(Page[DataCollectionSummary], Turns(), 24 * PIECE)


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
