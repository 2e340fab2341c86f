"""Raw lines: one line each, the tokens as they came, the sum of the original bytes."""

import hashlib
import json
from pathlib import Path

import msgspec
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from aegis_async.export._folder import claim
from aegis_async.export._sinks import RAW, Batch
from aegis_async.export._sinks._raw import line

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
    text = line(id_, body)

    said = json.loads(text)
    assert (1, True) == (text.count(b"\n"), text.endswith(b"}\n"))
    assert b"\r" not in text
    assert {"id": id_, "sha256": hashlib.sha256(body).hexdigest(), "body": json.loads(body)} == said


@given(_spaced())
def test_the_tokens_of_a_body_are_not_written_anew(body: bytes) -> None:
    """Numbers, escapes and the order of keys stay as the service wrote them: only whitespace differs."""
    text = line(1, body)

    embedded = text.partition(b'"body":')[2].removesuffix(b"}\n")
    assert body.translate(None, b" \t\r\n") == embedded.translate(None, b" \t\r\n")
    assert len(body.strip(b" \t\r\n")) == len(embedded)


def test_a_batch_is_one_compressed_file(tmp_path: Path) -> None:
    """The lines of a batch stand in the order of its bodies."""
    bodies = [(7, b'{"id": 7}'), (3, b'{\n"id": 3.0\n}')]

    (part,) = RAW.open(claim(tmp_path).put).write(Batch(1, bodies, {}))

    with pa.CompressedInputStream(pa.OSFile(str(tmp_path / part.path)), "zstd") as stream:
        lines = stream.read().splitlines()
    assert ("raw/000001-0001.ndjson.zst", 2) == (part.path, part.rows)
    assert [(7, {"id": 7}), (3, {"id": 3})] == [(said["id"], said["body"]) for said in map(msgspec.json.decode, lines)]


def test_a_batch_without_bodies_is_no_file(tmp_path: Path) -> None:
    """When all of a batch is in quarantine, no empty file is written; nor at the end."""
    sink = RAW.open(claim(tmp_path).put)

    parts = [*sink.write(Batch(1, [], {})), *sink.finish()]

    assert [] == parts
    assert [] == list((tmp_path / "raw").iterdir())
