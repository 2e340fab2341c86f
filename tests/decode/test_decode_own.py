"""Claims about bodies of a caller's own types: cut where their shape permits it, and the same as in one piece."""

import dataclasses
import json
import sys
from typing import Annotated, Any, TypedDict

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aegis_async import models
from aegis_async._decode import BodyDecoder, PiecewiseDecoder
from aegis_async._decode._turns import Turns
from aegis_async.errors import DecodeError
from tests.decode.documents import collection, encoded, old_revision

PIECE = 512
FEW = settings(max_examples=30)  # of each type, of which there are many


class Cell(msgspec.Struct):
    """One of many."""

    id: int
    note: str = ""
    tags: list[str] = []


class Table(msgspec.Struct, frozen=True, rename="camel"):
    """One large array among other fields."""

    all_cells: list[Cell]
    title: str = "none"
    maybe_cells: list[Cell] | None = None


class Nest(msgspec.Struct):
    """A table within each element, and a nest within each nest."""

    tables: tuple[Table, ...]
    nests: list["Nest"] = []


class Mine(msgspec.Struct):
    """This package's models within a caller's type."""

    runs: tuple[models.Run, ...]


class Checked(msgspec.Struct):
    """Code of its own, which must see every cell."""

    cells: list[Cell]

    def __post_init__(self) -> None:
        assert self.cells, "no cells"


class Line(msgspec.Struct, array_like=True):
    """An array in the JSON."""

    cells: list[Cell]


class Limited(msgspec.Struct):
    """A list that must not be empty."""

    cells: Annotated[list[Cell], msgspec.Meta(min_length=1)]


class Typed(TypedDict):
    """A typed dict."""

    cells: list[Cell]


@dataclasses.dataclass
class Plain:
    """A dataclass."""

    cells: list[Cell]


flat = st.lists(
    st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | st.lists(st.integers()) | st.none(),
    max_size=300,
)
cells = st.lists(
    st.builds(
        lambda i, note, tags: {"id": i, "note": note, "tags": tags},
        st.integers(-5, 5) | st.sampled_from([7.5, "x", None]),
        st.text(max_size=40),
        st.lists(st.text(max_size=9), max_size=3),
    ),
    max_size=40,
)
tables = st.builds(
    lambda many, few, title: {"title": title, "allCells": many, "maybeCells": few, "unknown": [{}, [[]]]},
    cells,
    cells | st.none(),
    st.text(max_size=5) | st.just(3),
)
nests = st.recursive(
    st.builds(lambda found: {"tables": found}, st.lists(tables, max_size=4)),
    lambda inner: st.builds(lambda found, deep: {"tables": found, "nests": deep}, st.lists(tables, max_size=2), inner),
    max_leaves=3,
)
free = st.builds(lambda many, keys: {**keys, "rows": many, "end": [1, [2]]}, cells, st.dictionaries(st.text(), cells))


def outcome(decode: Any, body: bytes) -> Any:
    """Give the value of a body, or the place of its fault."""
    try:
        return decode(body)
    except DecodeError as error:
        return error.path, str(error).partition(": ")[0]


def kind(decode: Any, body: bytes) -> Any:
    """Give the value of a body, or that it has none: in pieces, JSON that is broken is the first fault of all."""
    try:
        return decode(body)
    except DecodeError:
        return DecodeError


def stepped(type_: Any) -> Any:
    """Give what decodes a body of this type in steps."""
    decoder = PiecewiseDecoder(type_, Turns(), PIECE)
    if decoder._root is None and decoder._shapes is not None:
        inside = decoder._shapes
        decoder._shapes = lambda name: cut_small(inside(name))

    def decode(body: bytes) -> Any:
        steps = decoder.steps(bytearray(body))
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value

    return decode


def cut_small(field: Any) -> Any:
    """Give a field whose arrays are cut however small they are."""
    if field is not None:
        field.array.least = 0
    return field


@pytest.mark.parametrize("type_", [list[Cell], tuple[Cell, ...], list[dict[str, Any]], list, tuple, Any, list[Any]])
@FEW
@given(document=cells)
def test_a_list_is_the_same_in_pieces(type_: Any, document: Any) -> None:
    """An array of anything, at the root of a body, is cut between its elements."""
    body = encoded(document)

    assert outcome(BodyDecoder(type_), body) == outcome(stepped(type_), body)


@pytest.mark.parametrize("separators", [None, (",", ":"), (" ,", ":"), (",\n ", ":")], ids=repr)
@FEW
@given(document=flat | st.lists(st.text()) | st.lists(st.lists(st.integers(), max_size=3)) | st.lists(st.integers()))
def test_a_list_of_small_things_is_the_same_in_pieces(separators: Any, document: Any) -> None:
    """Numbers, texts and arrays, mixed and with commas of their own, are cut between them and nowhere else."""
    body = json.dumps(document, separators=separators).encode()

    assert outcome(BodyDecoder(list), body) == outcome(stepped(list), body)


@pytest.mark.parametrize("element", [7, -1.5, "a, b", '",', [1, 2], [[]], {"a": {}}, None, True], ids=str)
def test_equal_elements_are_looked_at_by_the_piece(element: Any) -> None:
    """Whatever its elements are, an array of them is not gone through one by one."""
    body = encoded([element] * 20_000)
    decoder = PiecewiseDecoder(list[Any], Turns(), 1 << 14)

    assert len(list(decoder.steps(body))) <= 2 * (len(body) // (1 << 14) + 3)


@pytest.mark.parametrize("type_", [Table, dict, dict[str, Any], Any, models.Page[Cell]], ids=str)
@FEW
@given(document=tables)
def test_an_object_is_the_same_in_pieces(type_: Any, document: Any) -> None:
    """A Struct's arrays are cut under their names in the JSON, with and without a None; a dict's under any."""
    body = encoded(document)

    assert outcome(BodyDecoder(type_), body) == outcome(stepped(type_), body)


@FEW
@given(document=nests)
def test_arrays_within_elements_are_cut_too(document: Any) -> None:
    """What is nested, even in itself, is the same as in one piece."""
    body = encoded(document)

    assert outcome(BodyDecoder(Nest), body) == outcome(stepped(Nest), body)


@FEW
@given(document=free)
def test_a_free_form_object_is_the_same_in_pieces(document: Any) -> None:
    """Whatever keys a dict has, and in whatever order, its arrays come back where they were."""
    body = encoded(document)

    assert list(json.loads(body).items()) == list(stepped(dict)(body).items())


@pytest.mark.parametrize("type_", [list[Cell], Table, dict, Any], ids=str)
@FEW
@given(document=cells | tables, junk=st.binary(min_size=1, max_size=2), data=st.data())
def test_what_is_no_json_is_refused_in_pieces_too(type_: Any, document: Any, junk: bytes, data: st.DataObject) -> None:
    """A body that is damaged or cut either decodes to the same both ways or to an error both ways."""
    body = encoded(document)
    place = data.draw(st.integers(0, len(body)))
    for damaged in (body[:place], body[:place] + junk + body[place:]):
        whole, cut = (kind(decode, damaged) for decode in (BodyDecoder(type_), stepped(type_)))

        assert whole == cut


@pytest.mark.parametrize(
    "body",
    [b"{}", b"[", b"[1", b"[]x", b" [ ] ", b"[1,]", b"[,1]", b"[ ,1]", b"[1,,2]", b"null", b"", b"[[]]", b'["\xff"]'],
)
def test_the_rim_of_a_list_is_the_same_in_pieces(body: bytes) -> None:
    """Blanks, nothing, too little, too much, and no list at all end as they do in one piece."""
    for type_ in (list[int], list[Any], tuple[str, ...]):
        assert kind(BodyDecoder(type_), body) == kind(stepped(type_), body)


def test_models_within_a_callers_type_are_read_by_the_callers_rules() -> None:
    """An older revision is refused in a large body as in a small one: only a type of ours reads it."""
    document = collection()
    run = document["runs"][0]
    for runs in ([run] * 9, [old_revision(run)] * 9):
        body = encoded({"runs": runs})

        assert outcome(BodyDecoder(Mine), body) == outcome(stepped(Mine), body)


def test_items_of_a_callers_type_are_read_by_the_rules_of_our_pages() -> None:
    """What a small page accepts a large one accepts too: an id that is written as 7.0."""
    document = {"items": [{"id": 7.0}] * 99, "meta": None}
    for meta in ({}, _meta()):
        body = encoded(document | {"meta": meta})

        assert outcome(BodyDecoder(models.Page[Cell]), body) == outcome(stepped(models.Page[Cell]), body)


def _meta() -> dict[str, Any]:
    return dict.fromkeys(models.PageMeta.__struct_fields__, 1) | {"has_next": False, "has_previous": False}


@pytest.mark.parametrize(
    "type_",
    [
        Checked,
        Line,
        Limited,
        Typed,
        Plain,
        msgspec.Raw,
        tuple[int, str],
        set[int],
        int,
        list[int] | int,
        dict[str, int],
    ],
    ids=str,
)
def test_what_cannot_be_cut_is_decoded_at_once(type_: Any) -> None:
    """Types that have code, limits or no arrays of their own are never read in pieces."""
    assert sys.maxsize == PiecewiseDecoder(type_, Turns()).cut_above


def test_small_arrays_of_a_free_form_object_stay_where_they_are() -> None:
    """A dict of a thousand small arrays is one step for many of them, not one for each."""
    body = encoded({str(i): [i] for i in range(1000)} | {"rows": list(range(50_000))})
    decoder = PiecewiseDecoder(dict, Turns())

    steps = list(decoder.outline(body))

    assert 50_000 * 5 < len(body)
    assert len(steps) < 20


def test_an_object_of_very_many_fields_is_gone_through_in_steps() -> None:
    """Fields that are no arrays are steps too, some thousand at a time."""
    body = encoded({str(i): i for i in range(10_000)})

    steps = list(PiecewiseDecoder(dict, Turns()).outline(body))

    assert 4 == len(steps)
