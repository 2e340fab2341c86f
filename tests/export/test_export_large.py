"""Large collections, which are fetched by themselves: what comes of them is what comes of whole bodies."""

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_async import AegisClient
from aegis_async._decode import PiecewiseDecoder, Splitter
from aegis_async._decode._turns import Turns
from aegis_async._resources._streams import KeepingSplitter
from aegis_async._resources.data_collections import CollectionBody
from aegis_async.errors import AuthenticationError, DecodeError
from aegis_async.export import TABLES, export, read_report
from aegis_async.export._arrow import RAW_SCHEMA
from aegis_async.export._batches import Draft, Fetched, add_to, batch_of
from aegis_async.export._large import large_draft
from aegis_async.export._layout import RAW
from aegis_async.export._sinks import Batch
from aegis_async.export._sinks._raw import Format
from aegis_async.export._source import Listed
from aegis_async.models import DataCollection
from aegis_async.sandbox import Sandbox
from tests.export import documents
from tests.export.folders import Held, ids, left_behind, named, parts, raw_lines, served, state
from tests.export.places import READERS

PIECE = 2048  # bytes: small enough for small documents to come in many slices
LISTED = Listed("f" * 16)
service = pytest.param("postgres", marks=pytest.mark.service)


async def whole(body: bytes) -> Batch:
    """Give the batch of a body that is decoded as a whole."""
    draft, decode = Draft(), PiecewiseDecoder(DataCollection, Turns())
    try:
        got = CollectionBody(14, body, decode(body), None)
    except DecodeError as error:
        placed(error)
        got = CollectionBody(14, body, None, error)
    await add_to(draft, [Fetched(got, LISTED)])
    return batch_of(draft)


async def sliced(body: bytes) -> Batch:
    """Give the batch of the same body, made slice by slice."""
    splitter = Splitter(PiecewiseDecoder(DataCollection, Turns(), PIECE), "runs")
    stream = await KeepingSplitter(splitter, 14, placed).in_pieces(bytearray(body))
    draft = await large_draft(stream, LISTED)
    await stream.aclose()
    return batch_of(draft)


def placed(error: DecodeError) -> None:
    """Say of an error which request it is about."""
    error.args = (f"{error} (GET /data-collections/14)",)


def said(batch: Batch) -> tuple[Any, ...]:
    """Give everything that a batch says, its raw file by its lines."""
    tables = {table.name: batch.tables[table.name] for table in TABLES}
    lines = Format().decode(bytes(memoryview(Format().encode(batch.tables[RAW]))), RAW_SCHEMA)
    return batch.marks, tables, lines, [(one.id, bytes(one.body), one.reason) for one in batch.rejected]


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """A collection of some runs: some larger than a piece, some under way, some with datasets of their own."""
    runs = []
    for id_, evaluations in enumerate(draw(st.lists(st.integers(0, 12), max_size=8))):
        nested = draw(st.sampled_from([None, *map(documents.dataset, range(1, 4))]))
        ended = draw(st.sampled_from([None, "2026-04-01T09:13:12.5Z"]))
        runs.append(documents.run(id_, evaluations) | {"dataset": nested, "finished_at": ended})
    made = documents.collection(runs=runs, unknown=draw(st.text(max_size=5)))
    text = json.dumps(made, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
    return text.encode(errors="replace") + draw(st.sampled_from([b"", b"\r\n", b" \t \n"]))


@given(bodies())
def test_slices_make_the_batch_that_the_whole_makes(body: bytes) -> None:
    """Rows and their order, the raw line with its sum, the fingerprint, and whether all runs have ended."""
    assert said(asyncio.run(whole(body))) == said(asyncio.run(sliced(body)))


@pytest.mark.parametrize(
    ("found", "bent"),
    [
        (b'"My bundle"', b"7"),
        (b'"id":6', b'"id":"six"'),
        (b'"threshold":70', b'"threshold":"high"'),
        (b'"id":14,', b'"id":15,'),
        (b'"extra":"?"', b'"extra":"\xff"'),
        (b'"record_id":100', b'"record_id":%d' % 2**63),
    ],
)
async def test_what_becomes_no_row_is_kept_for_the_same_reason(found: bytes, bent: bytes) -> None:
    """Wherever a body is at fault, it is set aside byte for byte with the words that the whole body gets."""
    runs = [documents.run(id_, 12) for id_ in range(9)]
    body = msgspec.json.encode(documents.collection(runs=runs, extra="?")).replace(found, bent)

    batch = await sliced(body)

    assert [(14, body)] == [(one.id, one.body) for one in batch.rejected]
    assert said(await whole(body)) == said(batch)


@pytest.mark.parametrize("name", [*(name for name in READERS if name != "postgres"), service])
async def test_every_format_gets_the_same(
    name: str, client: AegisClient, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Every collection large or none: the content, the raw lines and the fingerprints are the same."""
    small, large = (READERS[name](tmp_path / kind, request) for kind in ("small", "large"))

    one = await export(client, small.out, format=name, to=small.to)
    other = await export(client, large.out, format=name, to=large.to, stream_above=1)

    assert ("complete", one.rows, one.fetched_bytes) == (other.status, other.rows, other.fetched_bytes)
    for table in TABLES:
        keys = [(key, "ascending") for key in table.key]
        assert small.read(table.name).sort_by(keys) == large.read(table.name).sort_by(keys)
    assert sorted(map(str, raw_lines(small.out))) == sorted(map(str, raw_lines(large.out)))
    assert marks(small.out) == marks(large.out)


def marks(out: Path) -> set[Any]:
    return {mark for chunk in state(out).chunks.values() for mark in chunk.marks}


async def test_a_large_collection_is_a_commit_of_its_own(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """It waits for no other: one that is too large for the rest is committed before them."""
    sandbox.fail("/data-collections/4", body=msgspec.json.encode(documents.collection(4, evaluations=400)), times=None)

    report = await export(client, tmp_path, stream_above=150_000)

    assert "complete" == report.status
    assert [[4], [1, 2, 3, 5, 6]] == [
        sorted(mark.id for mark in chunk.marks) for chunk in state(tmp_path).chunks.values()
    ]
    assert named(tmp_path) == parts(tmp_path)


async def test_a_large_collection_that_stands_is_not_fetched_again(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Its fingerprint is that of the listing, as of any other; only those with a run under way are asked for."""
    first = await export(client, tmp_path, stream_above=1)
    sandbox.clear_requests()

    again = await export(client, tmp_path, stream_above=1)

    assert (6, "complete", "complete") == (again.unchanged + again.fetched, first.status, again.status)
    assert again.unchanged
    assert again.fetched == len([path for path in served(sandbox) if path])


async def test_a_large_collection_that_fails_is_missing(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """What goes wrong when it is fetched by itself is its own error, and the rest goes on."""
    large = msgspec.json.encode(documents.collection(4, evaluations=400))
    sandbox.fail("/data-collections/4", body=large)
    sandbox.fail("/data-collections/4", status=404, times=None)

    report = await export(client, tmp_path, stream_above=150_000)

    assert [(4, "NotFoundError")] == [(one.id, one.error) for one in report.missing]
    assert [1, 2, 3, 5, 6] == ids(tmp_path)


async def test_a_large_collection_gets_another_round(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """One that fails by itself is asked for once more at the end."""
    large = msgspec.json.encode(documents.collection(4, evaluations=400))
    sandbox.fail("/data-collections/4", body=large)
    sandbox.fail("/data-collections/4", status=500, times=2)  # both attempts
    sandbox.fail("/data-collections/4", body=large, times=None)

    report = await export(client, tmp_path, stream_above=150_000)

    assert ("complete", 6) == (report.status, report.rows["collections"])


async def test_a_key_that_is_refused_for_a_large_one_ends_the_export(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    """A 401 is nobody's own fault; what was fetched before is committed."""
    sandbox.fail("/data-collections/4", body=msgspec.json.encode(documents.collection(4, evaluations=400)))
    sandbox.fail("/data-collections/4", status=401, times=None)

    with pytest.raises(AuthenticationError):
        await export(client, tmp_path, concurrency=1, stream_above=150_000)

    assert [1, 2, 3] == ids(tmp_path)
    assert "failed" == read_report(tmp_path).status


async def test_an_interruption_while_a_large_one_comes_leaves_nothing_of_it(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    """What was fetched before is committed, no task is left, and no half of a collection."""
    sandbox.fail("/data-collections/4", body=msgspec.json.encode(documents.collection(4, evaluations=400)))
    sandbox.fail("/data-collections/4", delay=float("inf"), times=None)
    held = Held(3)
    exporting = asyncio.create_task(export(client, tmp_path, concurrency=1, stream_above=150_000, progress=held))
    await held.reached.wait()

    exporting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await exporting

    assert [1, 2, 3] == ids(tmp_path)
    assert named(tmp_path) == parts(tmp_path)
    assert [] == left_behind()
