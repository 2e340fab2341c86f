"""The page of the export keeps its word: its queries run as they stand, and other libraries read what it writes."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest

from aegis_async import AegisClient
from aegis_async.export import export, read
from aegis_async.sandbox import Sandbox
from docs.follow import follow
from tests.export.postgres import psql
from tests.missing import missing

PAGE = Path(__file__).parents[2] / "docs" / "export.md"
_BLOCK = r"^```sql\n-- ([^\n]+)\n(.*?)^```$"
QUERIES = dict(re.findall(_BLOCK, PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(collections=12) as server:
        yield server


@pytest.fixture
async def out(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the formats of the page, which is called as it is there."""
    monkeypatch.chdir(tmp_path)
    async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
        await export(client, "out", format=["parquet", "duckdb", "sqlite"])
    return tmp_path / "out"


def test_the_page_has_a_query_for_each() -> None:
    """A query that nobody runs would rot."""
    assert {"duckdb", "duckdb out/export.duckdb", "sqlite3 out/export.sqlite", "psql"} == set(QUERIES)


@pytest.mark.usefixtures("out")
def test_the_query_over_the_files_runs() -> None:
    """DuckDB reads the Parquet files as the page says."""
    with duckdb.connect() as connection:
        assert connection.execute(QUERIES["duckdb"]).fetchall()


@pytest.mark.usefixtures("out")
def test_the_query_of_the_duckdb_file_runs() -> None:
    """The view has a row for each model and day, and its rates are those of the runs."""
    with duckdb.connect("out/export.duckdb", read_only=True) as connection:
        rows = connection.execute(QUERIES["duckdb out/export.duckdb"]).fetchall()
        ended = connection.execute("SELECT count(*) FROM runs WHERE finished_at IS NOT NULL").fetchall()

    assert ended == [(sum(runs for _, _, runs, _ in rows),)]
    assert all(percent is None or 0 <= percent <= 100 for *_, percent in rows)


@pytest.mark.service
@pytest.mark.usefixtures("out")
def test_the_query_of_the_sqlite_file_runs() -> None:
    """The program ``sqlite3`` answers it."""
    program = shutil.which("sqlite3")
    if program is None:
        missing("sqlite3", "sqlite3")

    answer = subprocess.run(  # noqa: S603 - a program of the system and a query of ours
        [program, "out/export.sqlite", QUERIES["sqlite3 out/export.sqlite"]], capture_output=True, text=True, check=True
    )

    assert 10 == len(answer.stdout.splitlines())


@pytest.mark.service
async def test_the_query_of_the_postgres_database_runs(
    sandbox: Sandbox, postgres: Callable[[], str], tmp_path: Path
) -> None:
    """The program ``psql`` answers it, and its counts are those of the report."""
    address = postgres()
    async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
        report = await export(client, tmp_path, format="postgres", to=address)

    rows = psql(address, QUERIES["psql"]).splitlines()

    assert rows
    for table, count in report.rows.items():
        assert f"{count}\n" == psql(address, f"SELECT count(*) FROM {table}")  # noqa: S608 - a name of ours
    assert psql(address, "SELECT * FROM latest_runs")
    assert psql(address, "SELECT * FROM pass_rate_by_model_and_day")


@pytest.mark.service
def test_the_page_of_postgres_can_be_followed(sandbox: Sandbox, postgres: Callable[[], str], tmp_path: Path) -> None:
    """Its commands export into a database and ask it, from top to bottom."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = {**os.environ, **sandbox.env, "PATH": path, "DATABASE": postgres()}

    assert 3 == follow(PAGE.with_name("postgresql.md"), tmp_path, env)


def test_pandas_and_polars_read_the_files(out: Path) -> None:
    """The lines of the page, on what an export wrote."""
    runs = read(out, "runs")["runs"]

    assert runs.num_rows == len(runs.to_pandas()) == len(pd.read_parquet(out / "runs"))
    assert runs.num_rows == len(pl.from_arrow(runs)) == len(pl.scan_parquet(f"{out}/runs/*.parquet").collect())


async def test_the_counts_agree_with_the_sandbox(sandbox: Sandbox, out: Path) -> None:
    """The service's own totals of collections and runs are those of the tables."""
    async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
        totals = {
            table: (await client.fetch(f"/{path}", dict[str, object], {"page_size": 1}))["meta"]
            for table, path in (("collections", "data-collections"), ("runs", "runs"))
        }

    assert {"collections": 12, "runs": read(out, "runs")["runs"].num_rows} == {
        table: meta["total_items"] for table, meta in totals.items() if isinstance(meta, dict)
    }
