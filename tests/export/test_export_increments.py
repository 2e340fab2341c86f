"""Reruns into the same folder: what has not changed is not fetched again, and what is gone is told."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.dataset
import pytest

from aegis_async import AegisClient
from aegis_async._pagination import Listing
from aegis_async.export import TABLES, export, verify
from aegis_async.export._output import Output
from aegis_async.export._store import LocalStore
from aegis_async.sandbox import Sandbox
from tests.export.folders import state
from tests.export.restless import restless


def content(out: Path, table: str) -> list[tuple[Any, ...]]:
    """Read a table with a plain glob, as a reader does."""
    rows = pyarrow.dataset.dataset(sorted((out / table).glob("*.parquet"))).to_table().to_pylist()
    return sorted((tuple(row.values()) for row in rows), key=repr)


def everything(out: Path) -> dict[str, list[tuple[Any, ...]]]:
    return {table.name: content(out, table.name) for table in TABLES}


def fetched(sandbox: Sandbox) -> list[int]:
    """Give the ids that were asked for since the last look, and forget them."""
    paths = [request.path.rpartition("/")[2] for request in sandbox.requests]
    sandbox.clear_requests()
    return sorted(int(path) for path in paths if path.isdigit())


@pytest.fixture
async def settled(client: AegisClient) -> set[int]:
    """The ids whose runs have all ended."""
    fulls = [full async for full in client.data_collections.get_many(range(1, 7))]
    return {full.id for full in fulls if all(run.finished_at for run in full.runs)}


async def test_a_rerun_fetches_only_what_may_have_changed(
    client: AegisClient, sandbox: Sandbox, settled: set[int], tmp_path: Path
) -> None:
    """Collections that stand as they stood are not asked for; one with a run under way is."""
    await export(client, tmp_path)
    before = everything(tmp_path)
    fetched(sandbox)

    report = await export(client, tmp_path)

    assert sorted(set(range(1, 7)) - settled) == fetched(sandbox)
    assert (len(settled), "complete") == (report.unchanged, report.status)
    assert before == everything(tmp_path)


async def test_with_nothing_changed_there_are_only_listing_requests(sandbox: Sandbox, tmp_path: Path) -> None:
    """An account at rest costs its pages and nothing more."""
    for _ in range(150):
        sandbox.add()
    async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
        at_rest = [
            full.id
            async for full in client.data_collections.get_many(range(1, 157))
            if all(run.finished_at for run in full.runs)
        ]
        for id_ in set(range(1, 157)) - set(at_rest):
            sandbox.delete(id_)
        await export(client, tmp_path)
        sandbox.clear_requests()

        report = await export(client, tmp_path)

    assert {"/data-collections"} == {request.path[-17:] for request in sandbox.requests}
    assert (len(at_rest), 0) == (report.unchanged, report.fetched)


async def test_a_change_replaces_the_rows_of_its_collection(
    client: AegisClient, sandbox: Sandbox, settled: set[int], tmp_path: Path
) -> None:
    """After a rerun the folder holds what a fresh export of the account as it is now would hold."""
    await export(client, tmp_path / "old", batch_bytes=200_000)
    changed = min(settled)
    sandbox.change(changed)
    new = sandbox.add()
    fetched(sandbox)

    await export(client, tmp_path / "old")

    assert {changed, new} <= set(fetched(sandbox))
    await export(client, tmp_path / "fresh")
    assert everything(tmp_path / "fresh") == everything(tmp_path / "old")


@pytest.mark.parametrize(("deleted", "left"), [("keep", [1, 2, 3, 4, 5, 6]), ("drop", [1, 3, 4, 5, 6])])
async def test_what_is_gone_is_told_and_kept_or_dropped(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path, deleted: Any, left: list[int]
) -> None:
    """A collection that a complete listing lacks, and that is answered with 404, is gone."""
    await export(client, tmp_path)
    sandbox.delete(2)

    report = await export(client, tmp_path, deleted=deleted)
    again = await export(client, tmp_path, deleted=deleted)

    assert ("complete", (2,), ()) == (report.status, report.deleted, again.deleted)
    assert {2} == state(tmp_path).buried
    assert left == [row[0] for row in content(tmp_path, "collections")]


async def test_what_was_kept_can_be_dropped_later(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """Whoever asks for it once is rid of all that is gone."""
    await export(client, tmp_path)
    sandbox.delete(2)
    await export(client, tmp_path)

    await export(client, tmp_path, deleted="drop")

    assert [1, 3, 4, 5, 6] == [row[0] for row in content(tmp_path, "collections")]


async def test_what_the_listing_alone_lacks_is_not_gone(client: AegisClient, tmp_path: Path) -> None:
    """A listing of what is shared leaves the rest of the folder as it is: no 404, no tombstone."""
    await export(client, tmp_path)

    report = await export(client, tmp_path, shared=True, deleted="drop")

    assert ("complete", ()) == (report.status, report.deleted)
    assert [1, 2, 3, 4, 5, 6] == [row[0] for row in content(tmp_path, "collections")]


async def test_an_incomplete_listing_buries_nothing(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What may only have slipped through is not looked for."""
    monkeypatch.setattr("aegis_async._resources._api.Listing", partial(Listing, skim_size=100))
    for _ in range(200):
        sandbox.add()
    await export(client, tmp_path)
    sandbox.delete(2)

    async with restless(sandbox) as mover:
        report = await export(mover, tmp_path)

    assert ("partial", ()) == (report.status, report.deleted)


async def test_full_fetches_everything_again(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """Whoever trusts no fingerprint gets each collection anew, once."""
    await export(client, tmp_path)
    fetched(sandbox)

    report = await export(client, tmp_path, full=True)

    assert [1, 2, 3, 4, 5, 6] == fetched(sandbox)
    assert (6, 0) == (report.fetched, report.unchanged)


async def test_given_ids_are_fetched_anew(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """Who names a collection wants it as it is now."""
    await export(client, tmp_path, ids=[1, 2])
    fetched(sandbox)

    await export(client, tmp_path, ids=[2, 1])

    assert [1, 2] == fetched(sandbox)


async def test_another_format_is_filled_from_the_start(client: AegisClient, tmp_path: Path) -> None:
    """A format that joins an export later gets everything, and the first one stays right."""
    await export(client, tmp_path)
    before = everything(tmp_path)

    await export(client, tmp_path, format="arrow")

    assert before == everything(tmp_path)
    assert {1, 2, 3, 4, 5, 6} == {
        mark.id for chunk in state(tmp_path).chunks.values() for mark in chunk.marks
        if "arrow" in chunk.formats
    }  # fmt: skip


async def test_what_was_in_quarantine_is_tried_again(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """The next run fetches it, and lets go of what it kept."""
    sandbox.fail("/data-collections/4", body=b"{}")
    first = await export(client, tmp_path)

    second = await export(client, tmp_path)

    assert ("partial", "complete") == (first.status, second.status)
    assert ((), []) == (second.quarantined, list((tmp_path / "quarantine").iterdir()))
    assert [1, 2, 3, 4, 5, 6] == [row[0] for row in content(tmp_path, "collections")]


@pytest.mark.parametrize(("deleted", "status", "bodies"), [("keep", "partial", 1), ("drop", "complete", 0)])
async def test_what_is_in_quarantine_goes_with_its_collection(  # noqa: PLR0917 - fixtures are arguments
    client: AegisClient, sandbox: Sandbox, tmp_path: Path, deleted: Any, status: str, bodies: int
) -> None:
    """Bytes that the service no longer has are kept, or dropped when what is gone is to be dropped."""
    sandbox.fail("/data-collections/4", body=b"{}")
    await export(client, tmp_path)
    sandbox.delete(4)

    report = await export(client, tmp_path, deleted=deleted)
    again = await export(client, tmp_path, deleted=deleted)

    assert (status, status) == (report.status, again.status)
    assert bodies == len(list((tmp_path / "quarantine").glob("*.body")))
    assert () == again.deleted


async def test_the_quarantine_is_not_looked_through_while_a_batch_changes_it(
    client: AegisClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is gone is looked for when the last batch is written, however long that takes."""
    loop, put, quarantined = asyncio.get_running_loop(), LocalStore.put, Output.quarantined
    under_way: list[str] = []
    met: list[str] = []

    async def many_turns() -> None:
        for _ in range(1_000):
            await asyncio.sleep(0)

    def slow(store: LocalStore, path: str, data: Any) -> None:
        if path.startswith("raw/"):  # the first part of each batch
            under_way.append(path)
            asyncio.run_coroutine_threadsafe(many_turns(), loop).result()
            under_way.remove(path)
        put(store, path, data)

    def looked_through(output: Output) -> Any:
        met.extend(under_way)
        return quarantined(output)

    monkeypatch.setattr(LocalStore, "put", slow)
    monkeypatch.setattr(Output, "quarantined", looked_through)

    await export(client, tmp_path, deleted="drop", batch_bytes=1)

    assert [] == met


async def test_many_small_parts_become_one(sandbox: Sandbox, client: AegisClient, tmp_path: Path) -> None:
    """A year of small increments does not leave a thousand files, and no row is lost or doubled."""
    for _ in range(34):
        sandbox.add()

    await export(client, tmp_path / "small", format=["parquet", "csv"], batch_bytes=1)

    await export(client, tmp_path / "large", format=["parquet", "csv"])
    large, small = [await asyncio.to_thread(everything, tmp_path / name) for name in ("large", "small")]
    assert large == small
    assert 1 == len(list((tmp_path / "small" / "collections").glob("*.csv")))
    assert [] == verify(tmp_path / "small")


@pytest.fixture
def listing(client: AegisClient) -> Callable[..., Any]:
    """Give the bytes of the listing's page with some items replaced."""

    async def changed(**items: bytes) -> bytes:
        page = msgspec.json.decode(await client.fetch("/data-collections", bytes, {"page": 1, "page_size": 100}))
        raw = [msgspec.Raw(items.get(f"item{item['id']}", msgspec.json.encode(item))) for item in page["items"]]
        return msgspec.json.encode({**page, "items": raw})

    return changed


async def test_a_listed_item_that_cannot_be_decoded_is_kept_and_fetched(
    client: AegisClient, sandbox: Sandbox, listing: Callable[..., Any], tmp_path: Path
) -> None:
    """With an id to ask for nothing is lost: the item goes to quarantine, its collection to the tables."""
    sandbox.fail("/data-collections", body=await listing(item3=b'{"id": 3, "odd": true}'))

    report = await export(client, tmp_path)
    sandbox.clear_requests()
    again = await export(client, tmp_path)

    (kept,) = report.quarantined
    assert (3, "partial") == (kept.id, report.status)
    assert "item of the listing: " in kept.reason
    assert [1, 2, 3, 4, 5, 6] == [row[0] for row in content(tmp_path, "collections")]
    assert ("complete", ()) == (again.status, again.quarantined)
    assert 3 in fetched(sandbox)


async def test_a_listed_item_without_an_id_makes_the_listing_incomplete(
    client: AegisClient, sandbox: Sandbox, listing: Callable[..., Any], tmp_path: Path
) -> None:
    """Nobody can say which collection it is, so nobody can say that all are there."""
    sandbox.fail("/data-collections", body=await listing(item3=b'{"name": "?"}'))

    report = await export(client, tmp_path)
    kept = (tmp_path / report.quarantined[0].file).read_bytes()
    again = await export(client, tmp_path)

    assert report.listing is not None
    assert ("partial", False, 1) == (report.status, report.listing.complete, report.listing.unreadable)
    assert (None, b'{"name": "?"}') == (report.quarantined[0].id, kept)
    assert ("complete", ()) == (again.status, again.quarantined)
