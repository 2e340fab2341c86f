"""Claims about what a partition fetches: the export's rows in the order of its ids, and what it does about faults."""

import logging
from collections.abc import Callable, Sequence

import msgspec
import pyarrow as pa
import pytest

from aegis_async import AegisClient
from aegis_async._spark._fetching import batches
from aegis_async._spark._options import Options
from aegis_async.errors import DecodeError, ExportError, ServerError
from aegis_async.export._arrow import TABLE_SCHEMAS, pieces_of, tables_of
from aegis_async.export._rows import rows_of
from aegis_async.sandbox import Sandbox
from tests.export import documents

TABLES = tuple(TABLE_SCHEMAS)


async def fetched(options: Options, ids: Sequence[int], schema: pa.Schema | None = None) -> pa.Table:
    """Give all rows of some collections as one table."""
    schema = schema or TABLE_SCHEMAS[options.table]
    return pa.Table.from_batches([batch async for batch in batches(options, ids, schema, None)], schema)


async def expected(sandbox: Sandbox, ids: Sequence[int], table: str) -> pa.Table:
    """Give the same as the export converts it."""
    async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
        collections = [await client.data_collections.get(id_) for id_ in ids]
    return tables_of(pieces_of(rows_of(collections)))[table]


@pytest.mark.parametrize("table", TABLES)
async def test_rows_are_the_exports_in_the_order_of_the_ids(
    sandbox: Sandbox, options: Callable[..., Options], table: str
) -> None:
    """A partition that runs again gives the same rows in the same places, whichever answer comes first."""
    sandbox.fail("/data-collections/3", delay=0.2)

    assert await expected(sandbox, (3, 14, 20), table) == await fetched(options(table), (3, 14, 20))


@pytest.mark.parametrize("table", TABLES)
async def test_large_collections_give_the_same_rows(
    sandbox: Sandbox, options: Callable[..., Options], table: str
) -> None:
    """A collection that is converted slice by slice has the same rows as one that is converted whole."""
    sliced = await fetched(options(table, stream_above="1000"), (13, 14))

    assert await expected(sandbox, (13, 14), table) == sliced


async def test_small_collections_share_a_batch(options: Callable[..., Options]) -> None:
    """Twenty collections of one row each do not become twenty batches."""
    schema = TABLE_SCHEMAS["collections"]

    got = [batch.num_rows async for batch in batches(options("collections"), range(1, 21), schema, None)]

    assert [20] == got


async def test_many_rows_come_in_several_batches(sandbox: Sandbox, options: Callable[..., Options]) -> None:
    """Nobody holds all rows of a partition at once: a batch goes as soon as it is large enough."""
    body = msgspec.json.encode(documents.collection(1, evaluations=9_000))
    sandbox.fail("/data-collections/1", body=body, times=None)

    got = [batch.num_rows async for batch in batches(options("evaluations"), (1,), TABLE_SCHEMAS["evaluations"], None)]

    assert 9_000 == sum(got)
    assert max(got) < 6_000


async def test_only_the_columns_of_the_schema_come(options: Callable[..., Options]) -> None:
    """The columns are those of the schema, in its order."""
    whole = TABLE_SCHEMAS["runs"]
    schema = pa.schema([whole.field("threshold"), whole.field("collection_id")])

    got = await fetched(options("runs"), (14,), schema)

    assert ["threshold", "collection_id"] == got.column_names
    assert {14} == set(got["collection_id"].to_pylist())


async def test_no_ids_are_no_rows_and_no_request(sandbox: Sandbox, options: Callable[..., Options]) -> None:
    """The partition of an empty account asks for nothing."""
    assert 0 == (await fetched(options(), ())).num_rows
    assert [] == sandbox.requests


async def test_a_collection_that_is_gone_is_left_out(
    sandbox: Sandbox, options: Callable[..., Options], caplog: pytest.LogCaptureFixture
) -> None:
    """What was deleted after the listing has no rows, and the log says which it was."""
    sandbox.delete(2)

    with caplog.at_level(logging.WARNING, "aegis_async"):
        got = await fetched(options("collections"), (1, 2, 3))

    assert [1, 3] == got["id"].to_pylist()
    assert "collection 2 is not there (404), and left out" in caplog.text


@pytest.mark.parametrize("stream_above", ["1000", "10000000"])
async def test_a_collection_that_fails_ends_the_partition(
    sandbox: Sandbox, options: Callable[..., Options], stream_above: str
) -> None:
    """After the client's own attempts the task fails with an error that names the collection."""
    sandbox.fail("/data-collections/3", status=501, times=None)

    with pytest.raises(ServerError, match="GET /data-collections/3: 501"):
        await fetched(options(stream_above=stream_above), (1, 2, 3))


async def test_the_client_tries_again_before_a_partition_fails(
    sandbox: Sandbox, options: Callable[..., Options]
) -> None:
    """A fault that passes costs another request and no row."""
    sandbox.fail("/data-collections/3", status=503)

    assert [3] == (await fetched(options("collections"), (3,)))["id"].to_pylist()
    assert [503, 200] == [request.status for request in sandbox.requests]


async def test_a_body_that_does_not_decode_is_named(sandbox: Sandbox, options: Callable[..., Options]) -> None:
    """No row is made up, and none left out."""
    sandbox.fail("/data-collections/3", body=b'{"id": 3}', times=None)

    with pytest.raises(DecodeError, match="GET /data-collections/3"):
        await fetched(options(), (3,))


@pytest.mark.parametrize("stream_above", ["1000", "10000000"])
@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"org_id": 2**70}, "collection 3 does not fit the tables: collections.org_id holds a value that does not fit"),
        ({"id": 4}, "collection 3 does not fit the tables: the body is that of collection 4"),
    ],
)
async def test_a_body_that_does_not_fit_is_named(
    sandbox: Sandbox,
    options: Callable[..., Options],
    stream_above: str,
    changes: dict[str, int],
    complaint: str,
) -> None:
    """A number beyond 64 bits, or another collection than was asked for, ends the partition, small or large."""
    body = msgspec.json.encode({**documents.collection(3), **changes})
    sandbox.fail("/data-collections/3", body=body, times=None)

    with pytest.raises(ExportError, match=complaint):
        await fetched(options("collections", stream_above=stream_above), (3,))


async def test_leaving_early_leaves_no_task(options: Callable[..., Options]) -> None:
    """A task that Spark ends after its first batch, as for a limit, cancels what it has in flight."""
    schema = TABLE_SCHEMAS["evaluations"]
    source = batches(options("evaluations", stream_above="1000"), range(1, 21), schema, None)

    first = await anext(source)
    await source.aclose()

    assert first.num_rows > 0
