"""Whole runs against the sandbox: what arrives, and from how many requests."""

import hashlib
from collections import Counter
from pathlib import Path

import duckdb
import msgspec

from aegis_async import AegisClient, Cache
from aegis_async.export import Progress, export, next_steps
from aegis_async.sandbox import Sandbox
from tests.export.folders import TABLES, ids, raw_lines, rows, served


async def test_everything_arrives(client: AegisClient, tmp_path: Path) -> None:
    """Each table holds what the collections hold, and each body is there once."""
    report = await export(client, tmp_path)

    fulls = [full async for full in client.data_collections.get_many(range(1, 7))]
    runs = [run for full in fulls for run in full.runs]
    expected = {
        "collections": 6,
        "datasets": len({(f.id, d.id) for f in fulls for d in f.datasets}),
        "runs": len(runs),
        "evaluations": sum(len(run.evaluations) for run in runs),
    }
    assert ("complete", None) == (report.status, report.reason)
    assert expected == rows(tmp_path) == report.rows
    assert {full.id for full in fulls} == {line["id"] for line in raw_lines(tmp_path)}
    assert 6 == len(raw_lines(tmp_path))


async def test_the_sum_of_a_raw_line_is_that_of_the_body(client: AegisClient, tmp_path: Path) -> None:
    """The bytes as they came can be told from any others."""
    await export(client, tmp_path, ids=[3])

    (line,) = raw_lines(tmp_path)
    body = await client.fetch("/data-collections/3", bytes)
    assert hashlib.sha256(body).hexdigest() == line["sha256"]
    assert msgspec.json.decode(body) == line["body"]


async def test_each_collection_is_requested_once(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """One listing, one request for each collection, and none beside."""
    await export(client, tmp_path)

    assert Counter({"": 1, **{f"/{n}": 1 for n in range(1, 7)}}) == served(sandbox)


async def test_small_batches_give_the_same_rows_in_more_files(client: AegisClient, tmp_path: Path) -> None:
    """How large a batch is changes how many parts there are, and nothing else."""
    one = await export(client, tmp_path / "one")
    many = await export(client, tmp_path / "many", batch_bytes=1)

    assert one.rows == many.rows == rows(tmp_path / "many")
    assert 6 == len(list((tmp_path / "many" / "raw").iterdir()))
    assert 1 == len(list((tmp_path / "one" / "raw").iterdir()))


async def test_an_empty_account_gives_tables_that_can_be_asked(tmp_path: Path) -> None:
    """Without a collection every table is there, and the documented query gives no row."""
    async with (
        Sandbox(collections=0) as sandbox,
        AegisClient(sandbox.api_key, base_url=sandbox.url) as client,
    ):
        report = await export(client, tmp_path)

    assert ("complete", 4) == (report.status, report.files)
    assert dict.fromkeys(TABLES, 0) == rows(tmp_path)
    assert [] == duckdb.execute(next_steps(tmp_path)).fetchall()


async def test_only_the_ids_given_are_fetched(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """Given ids need no listing, and one that is given twice is fetched once."""
    seen: list[Progress] = []

    report = await export(client, tmp_path, ids=[5, 2, 5], progress=seen.append)

    assert [2, 5] == ids(tmp_path)
    assert Counter({"/2": 1, "/5": 1}) == served(sandbox)
    assert ("complete", None) == (report.status, report.listing)
    assert [2, 2] == [step.total for step in seen]


async def test_ids_may_come_from_an_iterator(client: AegisClient, tmp_path: Path) -> None:
    """What cannot tell its length is read before the first request."""
    seen: list[Progress] = []

    await export(client, tmp_path, ids=iter([5, 2]), progress=seen.append)

    assert [2, 5] == ids(tmp_path)
    assert [2, 2] == [step.total for step in seen]


async def test_shared_is_passed_on(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """The listing and each collection are asked for with the same filter."""
    await export(client, tmp_path, shared=True)

    assert [3, 6] == ids(tmp_path)
    assert ["true"] * 3 == [request.query.get("shared") for request in sandbox.requests]


async def test_formats_may_be_named_twice(client: AegisClient, tmp_path: Path) -> None:
    """A format that is repeated is written once."""
    report = await export(client, tmp_path, format=["parquet", "parquet"])

    assert ("parquet",) == report.formats
    assert report.rows == rows(tmp_path)


async def test_it_goes_past_the_cache(sandbox: Sandbox, tmp_path: Path) -> None:
    """An export reads what is there now, and pushes out nothing of what tabs look at."""
    async with AegisClient(sandbox.api_key, base_url=sandbox.url, cache=Cache()) as client:
        await client.data_collections.get(3)
        assert client.cache is not None
        before = client.cache.stats()
        await export(client, tmp_path / "OUT")

        assert before == client.cache.stats()

    assert 2 == served(sandbox)["/3"]
