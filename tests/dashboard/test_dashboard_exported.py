"""The same page over an export: DuckDB's rows give the numbers that the service gives."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from aegis_async import AegisClient
from aegis_async.dashboard import CollectionFacts, ExportSource, LiveSource, _exported, _snapshot, _tables
from aegis_async.dashboard._facts import facts_of
from aegis_async.dashboard._overview import overview
from aegis_async.dashboard._report import _read
from aegis_async.dashboard._snapshot import Snapshot
from aegis_async.dashboard._tally import tallied
from aegis_async.errors import ExportError, InvalidArgumentError, NotFoundError
from aegis_async.export import export
from aegis_async.models import DataCollection
from aegis_async.sandbox import Sandbox
from tests.dashboard.serving import Site, documents, site

TODAY = date(2026, 11, 24)


def exported(out: Path, collections: int = 20, **options: object) -> Path:
    """Export a sandbox account into a folder."""

    async def run() -> None:
        async with (
            Sandbox(collections=collections) as sandbox,
            AegisClient(sandbox.api_key, base_url=sandbox.url) as client,
        ):
            await export(client, out, **options)  # type: ignore[arg-type]  # as given

    asyncio.run(run())
    return out


@asynccontextmanager
async def account(out: Path) -> AsyncIterator[tuple[Sandbox, AegisClient]]:
    """Give a sandbox of twenty collections that was exported once, to be changed and exported again."""
    async with Sandbox() as sandbox, AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
        await export(client, out)
        yield sandbox, client


async def facts(source: ExportSource) -> dict[int, CollectionFacts]:
    """Give every collection in numbers, by id."""
    return {each.id: each for each in await asyncio.to_thread(lambda: list(source.book()))}


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(tmp_path_factory.mktemp("export's") / "OUT [1]")  # a name that a glob must not take for a pattern


@pytest.fixture
def source(out: Path) -> Iterator[ExportSource]:
    opened = ExportSource(out)
    yield opened
    opened.close()


@pytest.fixture
async def export_site(out: Path) -> AsyncIterator[Site]:
    async with ExportSource(out) as opened, site(opened) as served:
        yield served


async def test_an_export_gives_the_numbers_that_the_service_gives(source: ExportSource, live: LiveSource) -> None:
    """Collection by collection and run by run, to the last digit."""
    over_service = sorted(live.book(), key=lambda each: each.id)
    over_export = await asyncio.to_thread(lambda: list(source.book()))

    assert over_service == over_export


async def test_the_api_is_the_same(export_site: Site, live_site: Site) -> None:
    """The page cannot tell the two apart but by the state."""
    for path in ("/api/overview", "/api/below", "/api/collections", "/api/overview?days=30&span=week"):
        assert (await live_site.get(path)).json == (await export_site.get(path)).json


async def test_the_drill_down_reads_the_files(export_site: Site, live_site: Site) -> None:
    """A collection and a run's evaluations are those of the service, but for their age."""
    for path in ("/api/collections/3", "/api/collections/14", "/api/collections/14/runs/991"):
        mine, theirs = (await export_site.get(path)).json, (await live_site.get(path)).json
        assert theirs | {"age": 0, "stale": False} == mine | {"age": 0}


async def test_the_state_is_that_of_an_export(export_site: Site) -> None:
    """A complete export has no problem, and its age is that of the export."""
    state = (await export_site.get("/api/health")).json

    assert ("export", None, 20, 0) == (state["status"], state["problem"], state["collections"], state["pending"])


async def test_what_the_export_lacks_is_a_404(export_site: Site) -> None:
    """Collections and runs that are not in the files."""
    assert {404} == {(await export_site.get(f"/api/collections/{path}")).status for path in ("999", "14/runs/5")}


def test_a_collection_is_read_alone(source: ExportSource) -> None:
    """The drill-down does not read the whole account."""
    found = asyncio.run(source.collection(14))

    assert (14, [991]) == (found.facts.id, [run.id for run in found.facts.runs])
    with pytest.raises(NotFoundError, match="the export has no collection 999"):
        asyncio.run(source.collection(999))


def test_costs_that_no_decimal_holds_are_added_from_their_text() -> None:
    """A null cost with digits beside it counts; digits beyond what money can be do not."""
    row = (1, 2, "m", None, None, None, 1.0, 1.0, True, None, Decimal("0.5"), 1, ["0.25", "9e99999"], 3, 3, 3)

    facts = _tables._run_facts(row)

    assert (Decimal("0.75"), 2) == (facts.cost, facts.metered)


async def test_a_newer_export_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When another run was finished in the folder, the tabs hear of it; a look that fails changes nothing."""
    out = tmp_path / "OUT"
    looks = iter([InvalidArgumentError("busy")])

    def snapshot_of(folder: Path) -> Snapshot:
        for failure in looks:
            raise failure
        return _snapshot.snapshot_of(folder)

    async with account(out) as (sandbox, client):
        source = ExportSource(out)
        before, news = source.state(), source.bell.next()
        sandbox.add()
        await export(client, out)
        monkeypatch.setattr(_exported, "_LOOK", 0.0)
        monkeypatch.setattr(_exported, "snapshot_of", snapshot_of)
        async with source:
            await news.wait()
            after = source.state()

    assert (20, 21) == (before.collections, after.collections)
    assert before.version != after.version


async def test_parts_that_no_commit_names_do_not_count(tmp_path: Path) -> None:
    """What an export has not committed yet, or what one that died left behind, is no part of the numbers."""
    out = tmp_path / "OUT"
    async with account(out), ExportSource(out) as source:
        before = await facts(source)
        for table in ("collections", "runs", "evaluations"):
            part = next((out / table).glob("*.parquet"))
            shutil.copy(part, part.with_name("000099-0001.parquet"))

        assert before == await facts(source)


async def test_files_that_were_taken_away_are_those_of_an_earlier_state(tmp_path: Path) -> None:
    """Before anybody looked for a newer export, an answer is of the new one, whole, under its version."""
    out = tmp_path / "OUT"
    async with account(out) as (sandbox, client):
        source = ExportSource(out)
        version, runs = source.state().version, await facts(source)
        async with site(source) as served:
            sandbox.change(3)
            await export(client, out, full=True)
            overview = await served.get("/api/overview")
            sandbox.change(3)
            await export(client, out, full=True)
            found = await source.collection(3)
            await export(client, out, full=True)
            rows = await source.evaluations(14, 991, 1)
        source.close()

    assert sum(len(each.runs) for each in runs.values()) + 1 == overview.json["numbers"]["runs"]
    assert version not in overview.headers["etag"]
    assert len(runs[3].runs) + 2 == len(found.facts.runs)
    assert 1 == rows.total


async def test_an_export_under_way_is_never_half_seen(tmp_path: Path) -> None:
    """While a run replaces every file, each answer has every collection, each as it was or as it is."""
    out = tmp_path / "OUT"
    async with account(out) as (sandbox, client), ExportSource(out) as source, site(source) as served:
        old = await facts(source)
        for id_ in old:
            sandbox.change(id_)
        running = asyncio.create_task(export(client, out, full=True, batch_bytes=1, concurrency=1))
        seen, books = [], []
        while not running.done():
            books.append((await asyncio.to_thread(_read, source))[0])
            overview, found = await served.get("/api/overview"), await served.get("/api/collections/3")
            seen.append((overview.status, overview.json["collections"], overview.json["numbers"]["runs"]))
            assert 200 == found.status
        await running
        new = await facts(source)

    total = sum(len(each.runs) for each in old.values())
    assert all(each in (old[each.id], new[each.id]) for book in books for each in book)
    assert {(200, len(old))} == {(status, collections) for status, collections, _ in seen}
    assert {runs for _, _, runs in seen} <= set(range(total, total + len(old) + 1))
    assert [runs for _, _, runs in seen] == sorted(runs for _, _, runs in seen)
    assert {id_: len(each.runs) + 1 for id_, each in old.items()} == {id_: len(each.runs) for id_, each in new.items()}


async def test_a_report_during_an_export_is_of_one_state(tmp_path: Path) -> None:
    """The file of a source whose parts were taken away has the numbers of the later export."""
    out = tmp_path / "OUT"
    async with account(out) as (sandbox, client):
        source = ExportSource(out)
        sandbox.add()
        await export(client, out, full=True)
        book, state = await asyncio.to_thread(_read, source)
        source.close()

    assert 21 == len(book) == state["collections"]


async def test_files_that_are_gone_without_a_later_export_are_an_error(tmp_path: Path) -> None:
    """A part that somebody removed is said, and not waited for."""
    out = tmp_path / "OUT"
    async with account(out), ExportSource(out) as source, site(source) as served:
        for part in (out / "runs").glob("*.parquet"):
            part.unlink()
        statuses = {(await served.get(path)).status for path in ("/api/overview", "/api/collections/3")}
        with pytest.raises(ExportError, match="cannot be read"):
            await asyncio.to_thread(_read, source)
        shutil.rmtree(out)
        gone = await served.get("/api/collections/3")

    assert {503} == statuses
    assert 503 == gone.status
    assert str(tmp_path) not in gone.json["detail"]


@pytest.mark.parametrize("kept", [0, 300])
async def test_files_that_make_no_sense_are_an_error(kept: int, tmp_path: Path) -> None:
    """A part that is damaged is said as one that is gone, not as a fault of the dashboard."""
    out = tmp_path / "OUT"
    async with account(out), ExportSource(out) as source, site(source) as served:
        for part in (out / "runs").glob("*.parquet"):
            part.write_bytes(part.read_bytes()[:kept])
        statuses = {(await served.get(path)).status for path in ("/api/overview", "/api/collections/3")}
        with pytest.raises(ExportError, match="cannot be read"):
            await asyncio.to_thread(_read, source)

    assert {503} == statuses


@pytest.mark.parametrize("above", ["id=7", "name=x", "run_id=manual__2026"])
def test_a_folder_above_the_export_is_no_column(above: str, out: Path, source: ExportSource, tmp_path: Path) -> None:
    """Names as those of partitions, of which Airflow's folders are full, change no number."""
    opened = ExportSource(shutil.copytree(out, tmp_path / above / "OUT"))

    found = list(opened.book())
    opened.close()

    assert list(source.book()) == found


async def test_hostile_values_count_as_they_do_over_the_service(tmp_path: Path) -> None:
    """Costs that no money can be, and a time zone that leads out of the calendar, hide no other number."""
    began = {"started_at": "0001-01-01T00:00:00+14:00", "finished_at": None}
    document = documents(1)[0]
    document["runs"][0] |= began
    for run in document["runs"]:
        run["evaluations"] = [{**one, **began, "evaluation_cost": "9" * 20} for one in run["evaluations"]]
    facts_over_service = facts_of(msgspec.convert(document, DataCollection, strict=False))

    async with Sandbox(collections=1) as sandbox, AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
        sandbox.fail("/data-collections/1", body=json.dumps(document))
        await export(client, tmp_path / "OUT")
    async with ExportSource(tmp_path / "OUT") as source:
        over_export = overview(tallied(source.book()), TODAY)
        evaluations = await source.evaluations(1, document["runs"][0]["id"], 1)

    assert overview(tallied([facts_over_service]), TODAY) == over_export
    assert ("0", 0, date.min) == (over_export.numbers.cost, over_export.numbers.metered, over_export.first)
    assert len(document["runs"][0]["evaluations"]) == evaluations.total


def test_tables_in_other_formats_alone_are_refused(tmp_path: Path) -> None:
    """DuckDB reads Parquet here, and an account of which only a part is in it would be half of the numbers."""
    with pytest.raises(InvalidArgumentError, match="does not hold all of its tables as Parquet files"):
        ExportSource(exported(tmp_path / "OUT", 3, format="ndjson"))


def test_a_partial_export_says_so(out: Path) -> None:
    """What is missing in the export is on the page."""
    source = ExportSource(out)
    report = msgspec.structs.replace(source._snapshot.report, status="partial", reason="2 collections are missing")
    source._snapshot = source._snapshot._replace(report=report)

    state = source.state()
    source.close()

    assert "The export is partial: 2 collections are missing" == state.problem


def test_an_empty_export_is_an_empty_page(tmp_path: Path) -> None:
    """An account without collections makes an export without rows."""
    source = ExportSource(exported(tmp_path / "OUT", collections=0))

    found = overview(tallied(source.book()), TODAY)
    source.close()

    assert (0, None) == (found.numbers.runs, found.last)


@pytest.mark.parametrize("name", ["nothing", "empty"])
def test_a_folder_without_an_export_is_refused(name: str, tmp_path: Path) -> None:
    """One sentence, before anything is served."""
    (tmp_path / "empty").mkdir()

    with pytest.raises(InvalidArgumentError, match="out must be the folder of a finished export"):
        ExportSource(tmp_path / name)


def test_rows_are_read_from_every_part(out: Path) -> None:
    """The numbers are those of the files themselves."""
    runs = pq.read_table(out / "runs")

    source = ExportSource(out)
    found = overview(tallied(source.book()), TODAY)
    source.close()

    assert runs.num_rows == found.numbers.runs
    assert sum(verdict is True for verdict in runs["is_gte_threshold"].to_pylist()) == found.numbers.passed
