"""Claims about bodies that are no answer at all."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aegis_async._decode import BodyDecoder
from aegis_async._decode._complaints import _LOOKED_INTO
from aegis_async.errors import DecodeError
from aegis_async.models import DataCollection, DataCollectionSummary, Page
from tests.decode.documents import collection, encoded, old_revision

DECODERS: list[Any] = [BodyDecoder(DataCollection), BodyDecoder(Page[DataCollectionSummary])]
BODY = encoded(collection())


@pytest.mark.parametrize("decode", DECODERS, ids=["collection", "listing"])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the body is empty"),
        (b" \n", "the body is empty"),
        (b"<html><h1>Bad gateway</h1>", "the body is not JSON"),
        (b"\xff\xfe{", "the body is not JSON"),
        (b'{"id": 1} x', "the body is not JSON"),
        (b'{"id":NaN}', "the body is not JSON"),
        (b'{"id":"\xff"}', "the body is not UTF-8"),
        (b'{"x":"\xff"}', "the body is not UTF-8"),
        (b'{"x":' + b"[" * 1_000_000, "nested too deeply"),
        (b"[]", "expected an object, got an array"),
        (b"null", "expected an object, got null"),
        (b"3", "expected an object, got an integer"),
        (b'"x"', "expected an object, got a string"),
        (b'{"id":1e999}', "number out of range|missing required field"),
        (b'{"id":', "breaks off"),
    ],
)
def test_a_body_that_is_no_answer_is_a_decode_error(decode: Any, body: bytes, words: str) -> None:
    """Whatever is wrong with a body, it is said in words, and no exception of a library comes out."""
    with pytest.raises(DecodeError, match=words) as caught:
        decode(body)

    assert caught.value.__context__ is None
    assert caught.value.path.startswith("$")


@pytest.mark.parametrize("decode", DECODERS, ids=["collection", "listing"])
@given(body=st.binary())
@example(body=b'{"items":[],"meta":1e999}')
def test_no_bytes_let_a_foreign_exception_out(decode: Any, body: bytes) -> None:
    """Any bytes at all give a DecodeError or a value."""
    try:
        decode(body)
    except DecodeError as error:
        assert len(error.excerpt) <= 120


@given(st.integers(min_value=0, max_value=len(BODY) - 1), st.binary(min_size=1, max_size=3))
def test_a_damaged_body_lets_no_foreign_exception_out(position: int, damage: bytes) -> None:
    """A sound body with some bytes overwritten gives a DecodeError or a value."""
    damaged = BODY[:position] + damage + BODY[position + len(damage) :]
    try:
        DECODERS[0](damaged)
    except DecodeError as error:
        assert str(error)


@given(st.integers(min_value=1, max_value=len(BODY) - 1))
@example(length=BODY.index(b"83.5") + 3)
def test_a_body_that_breaks_off_anywhere_is_called_truncated(length: int) -> None:
    """Wherever the JSON breaks off, the error says so, since that is worth one more attempt."""
    with pytest.raises(DecodeError) as caught:
        DECODERS[0](BODY[:length])

    assert caught.value.truncated


def test_an_older_shape_that_breaks_off_is_called_truncated() -> None:
    """A shape that the fast path refuses before its end is still seen to break off."""
    body = encoded(old_revision(collection()))

    with pytest.raises(DecodeError) as caught:
        DECODERS[0](body[:-2])

    assert caught.value.truncated


@pytest.mark.parametrize("cut", ["-", "8.", "8e", "8E+", "8e-"])
def test_a_number_that_breaks_off_is_called_truncated(cut: str) -> None:
    """A body that ends inside a number breaks off, though it looks malformed."""
    with pytest.raises(DecodeError, match="breaks off") as caught:
        DECODERS[0](b'{"id":' + cut.encode())

    assert caught.value.truncated


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"id":1}', b'{"id":1}-', b'{"id":1-'])
def test_a_body_that_is_whole_is_not_called_truncated(body: bytes) -> None:
    """A wrong answer stays wrong, however often it is asked for."""
    with pytest.raises(DecodeError) as caught:
        DECODERS[0](body)

    assert not caught.value.truncated


def test_the_excerpt_shows_where_the_json_is_wrong() -> None:
    """The excerpt of malformed JSON is taken around the byte that is wrong."""
    body = b'{"a":"' + b"x" * 500 + b'",!' + b"y" * 500 + b"}"

    with pytest.raises(DecodeError) as caught:
        DECODERS[0](body)

    assert "!" in caught.value.excerpt


def test_the_excerpt_of_a_large_body_is_its_beginning() -> None:
    """A body too large to be read a second time is quoted from its start."""
    body = encoded(collection() | {"id": "wrong", "padding": "x" * _LOOKED_INTO})

    with pytest.raises(DecodeError) as caught:
        DECODERS[0](body)

    assert body[:120].decode() == caught.value.excerpt


def test_a_number_out_of_range_is_refused_where_it_stands() -> None:
    """A number that no float can hold is refused, not turned into infinity, on the second path too."""
    body = encoded(old_revision(collection())).replace(b'"result": 83.5', b'"result": 1e999')

    with pytest.raises(DecodeError):
        DECODERS[0](body)


def test_a_fault_inside_a_free_form_object_is_quoted_as_far_as_its_path_goes() -> None:
    """A path that names no key still gives an excerpt around the fault."""
    decode = BodyDecoder(dict[str, dict[str, list[int]]])

    with pytest.raises(DecodeError) as caught:
        decode(b'{"a":{"b":["x"]}}')

    assert '"x"' in caught.value.excerpt
