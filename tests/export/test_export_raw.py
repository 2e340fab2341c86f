"""Raw lines: one line each, the tokens as they came, the sum of the original bytes."""

import hashlib
import json

import msgspec
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from aegis_async.export._arrow import RAW_SCHEMA
from aegis_async.export._sinks._raw import Format, line, line_pieces

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_SPACE = st.text(" \t\r\n", max_size=3)


@st.composite
def _spaced(draw: st.DrawFn) -> bytes:
    """Write a JSON document with any whitespace around any token, strings escaped or not."""
    text = json.dumps(draw(_JSON), ensure_ascii=draw(st.booleans())).encode(errors="surrogatepass")
    pieces = [draw(_SPACE)]
    inside = escaped = False
    for char in text.decode(errors="surrogatepass"):
        around = not inside and char in "[]{},:"
        pieces += [draw(_SPACE), char, draw(_SPACE)] if around else [char]
        inside ^= char == '"' and not escaped
        escaped = char == "\\" and not escaped
    return "".join([*pieces, draw(_SPACE)]).encode(errors="replace")


@given(st.integers(1, 2**63 - 1), _spaced())
def test_a_line_holds_the_body_whatever_its_whitespace(id_: int, body: bytes) -> None:
    """Any JSON becomes one line that says the same, with the sum of the bytes as they came."""
    text = b"".join(line(id_, body))

    said = json.loads(text)
    assert (1, True) == (text.count(b"\n"), text.endswith(b"}\n"))
    assert b"\r" not in text
    assert {"id": id_, "sha256": hashlib.sha256(body).hexdigest(), "body": json.loads(body)} == said


@given(_spaced())
def test_the_tokens_of_a_body_are_not_written_anew(body: bytes) -> None:
    """Numbers, escapes and the order of keys stay as the service wrote them: only whitespace differs."""
    text = b"".join(line(1, body))

    embedded = text.partition(b'"body":')[2].removesuffix(b"}\n")
    assert body.translate(None, b" \t\r\n") == embedded.translate(None, b" \t\r\n")
    assert len(body.strip(b" \t\r\n")) == len(embedded)


@given(_spaced(), st.integers(1, 5))
def test_a_line_is_the_same_wherever_the_body_is_cut(body: bytes, size: int) -> None:
    """A large body comes in pieces, which may end anywhere, in blanks too."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]

    assert b"".join(line(7, body)) == b"".join(line_pieces(7, hashlib.sha256(body).hexdigest(), pieces))


def test_lines_are_one_compressed_file_and_come_back() -> None:
    """The lines stand in the order of the bodies, and each tells its collection."""
    lines = [b"".join(line(7, b'{"id": 7}')), b"".join(line(3, b'{\n"id": 3.0\n}'))]
    table = pa.table([[7, 3], lines], schema=RAW_SCHEMA)

    data = bytes(memoryview(Format().encode(table)))

    with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
        said = [msgspec.json.decode(one) for one in stream.read().splitlines()]
    assert [(7, {"id": 7}), (3, {"id": 3})] == [(one["id"], one["body"]) for one in said]
    assert table == Format().decode(data, RAW_SCHEMA)
