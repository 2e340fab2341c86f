"""Collections as the export decodes them: the text of what an evaluation carries stays as it came."""

from collections.abc import Callable
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aegis_async._decode import BodyDecoder
from aegis_async.export._arrow import pieces_of, tables_of
from aegis_async.export._documents import Texts
from aegis_async.export._rows import rows_of
from aegis_async.models import DataCollection
from tests.export import documents

_by_models = BodyDecoder(DataCollection)
_by_texts = Texts()

Change = Callable[[dict[str, Any]], object]

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def tables(collection: DataCollection) -> dict[str, pa.Table]:
    return tables_of(pieces_of(rows_of([collection])))


def body_with(metadata: bytes) -> bytes:
    """Give a collection of one evaluation that carries ``metadata``."""
    document = documents.collection(evaluations=1)
    document["runs"][0]["evaluations"][0]["eval_metadata"] = msgspec.Raw(metadata)
    return msgspec.json.encode(document)


def carried(collection: DataCollection | None) -> str | None:
    assert collection is not None
    (text,) = tables(collection)["evaluations"]["eval_metadata"].to_pylist()
    return None if text is None else str(text)


@settings(max_examples=25)
@given(metadata=st.none() | st.dictionaries(st.text(), _VALUES))
def test_the_rows_are_those_of_the_models(metadata: dict[str, Any] | None) -> None:
    """What msgspec itself has written becomes the same rows on both ways."""
    body = body_with(msgspec.json.encode(metadata))

    ours = _by_texts(body)

    assert ours is not None
    assert tables(_by_models(body)) == tables(ours)


def test_the_text_is_spelled_as_it_was_sent() -> None:
    """Blanks and the form of numbers are the service's."""
    body = body_with(b'{ "score": 1.50, "big": 1e3 }')

    assert carried(_by_texts(body)) == '{ "score": 1.50, "big": 1e3 }'


def test_a_null_is_no_text() -> None:
    """The column is null where the service sends null."""
    assert carried(_by_texts(body_with(b"null"))) is None


@pytest.mark.parametrize("metadata", [b"[1]", b'"text"', b"1", b"true", b"nul", b'{"cut": '])
def test_what_is_no_object_is_left_to_the_models(metadata: bytes) -> None:
    """They say what is wrong with it, and where."""
    assert _by_texts(body_with(metadata)) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(id="14"),
        lambda document: document["runs"][0].pop("result"),
        lambda document: document["runs"][0]["evaluations"][0].update(evaluation_cost="NaN"),
        lambda document: document["runs"][0]["evaluations"][0].update(evaluation_cost="-Infinity"),
        lambda document: document["runs"][0]["evaluations"][0].pop("eval_metadata"),
    ],
)
def test_any_other_shape_is_left_to_the_models(change: Change) -> None:
    """Older shapes and faults go the usual way."""
    document = documents.collection(evaluations=1)
    change(document)

    assert _by_texts(msgspec.json.encode(document)) is None
