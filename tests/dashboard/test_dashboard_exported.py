"""The same page over an export: DuckDB's rows give the numbers that the service gives."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from aegis_async import AegisClient
from aegis_async.dashboard import ExportSource, LiveSource, _exported
from aegis_async.dashboard._overview import overview
from aegis_async.dashboard._tally import tallied
from aegis_async.errors import InvalidArgumentError, NotFoundError
from aegis_async.export import export
from aegis_async.sandbox import Sandbox
from tests.dashboard.serving import Site, site

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


def test_costs_that_no_decimal_holds_are_added_from_their_text(source: ExportSource) -> None:
    """A null cost with digits beside it counts; digits beyond what money can be do not."""
    row = (1, 2, "m", None, None, None, 1.0, 1.0, True, None, Decimal("0.5"), 1, ["0.25", "9e99999"], 3, 3, 3)

    facts = _exported._run_facts(row)

    assert source.state().collections
    assert (Decimal("0.75"), 2) == (facts.cost, facts.metered)


async def test_a_newer_export_is_seen(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When another export was finished in the folder, the tabs hear of it; one that cannot be read changes nothing."""
    reports = iter([InvalidArgumentError("busy"), None])
    first = _exported._report(out)

    def later(_: Path) -> object:
        found = next(reports, None)
        if found is not None:
            raise found
        return msgspec.structs.replace(first, commit=9)

    async with ExportSource(out) as source:
        monkeypatch.setattr(_exported, "_LOOK", 0.0)
        monkeypatch.setattr(_exported, "_report", later)
        source._tasks.append(asyncio.create_task(source._follow()))
        while source.state().version != "export-9":
            await source.bell.next().wait()

    assert source.bell.silenced


def test_a_partial_export_says_so(out: Path) -> None:
    """What is missing in the export is on the page."""
    source = ExportSource(out)
    source._report = msgspec.structs.replace(source._report, status="partial", reason="2 collections are missing")

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
