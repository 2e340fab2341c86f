"""Databases: nobody's tables are touched, readers are never locked out, and no password is told."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from aegis_async import AegisClient
from aegis_async.errors import ExportError
from aegis_async.export import Progress, _export, export, read_report
from aegis_async.export._folder import Folder, claim
from aegis_async.sandbox import Sandbox
from tests.export.postgres import psql


def run_sqlite(out: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(out / "export.sqlite")) as connection, connection:
        return connection.execute(statement).fetchall()


def run_duckdb(out: Path, statement: str) -> list[Any]:
    with duckdb.connect(out / "export.duckdb") as connection:
        return connection.execute(statement).fetchall()


RUN: dict[str, Callable[[Path, str], list[Any]]] = {"sqlite": run_sqlite, "duckdb": run_duckdb}
files = pytest.mark.parametrize("name", RUN)


def databases(out: Path) -> list[str]:
    """Give the files of databases, hidden ones too."""
    return [path.name for path in out.iterdir() if "export." in path.name]


def kept_open() -> set[Path]:
    """Give the files that this process has open, where the system tells."""
    return {link.readlink() for link in Path("/proc/self/fd").glob("*") if link.is_symlink()}


@files
async def test_tables_of_somebody_else_are_left_alone(client: AegisClient, tmp_path: Path, name: str) -> None:
    """A database that has a table of one of our names, and no marks, is refused."""
    await export(client, tmp_path, format="parquet")
    RUN[name](tmp_path, "CREATE TABLE runs (mine TEXT)")

    with pytest.raises(ExportError, match=r"has a table runs that is not of an export; use another one$"):
        await export(client, tmp_path, format=name)

    assert [] == RUN[name](tmp_path, "SELECT mine FROM runs")


@files
async def test_a_database_of_another_schema_is_refused(client: AegisClient, tmp_path: Path, name: str) -> None:
    """Rows of two schemas are never mixed."""
    await export(client, tmp_path, format=name)
    RUN[name](tmp_path, "UPDATE _aegis_pass SET schema_version = 99")

    with pytest.raises(ExportError, match=r"has schema 99, and this version of aegis_async knows 1: export into"):
        await export(client, tmp_path, format=name)


@files
async def test_the_views_say_what_the_runs_say(client: AegisClient, tmp_path: Path, name: str) -> None:
    """The latest run of a collection and model is the one that ended last; the rates count passes by day."""
    await export(client, tmp_path, format=name)

    asked = (
        "SELECT count(*) FROM latest_runs",
        "SELECT count(*) FROM (SELECT DISTINCT collection_id, model_slug FROM runs WHERE finished_at IS NOT NULL) AS p",
        """SELECT count(*) FROM latest_runs AS l JOIN runs AS r ON r.collection_id = l.collection_id
           AND r.model_slug = l.model_slug AND r.finished_at > l.finished_at""",
        "SELECT count(*) FROM runs WHERE finished_at IS NOT NULL",
        "SELECT sum(runs) FROM pass_rate_by_model_and_day",
    )
    latest, expected, later, ended, rated = [RUN[name](tmp_path, query)[0][0] for query in asked]
    assert latest == expected > 0
    assert 0 == later
    assert ended == rated > 0


@files
async def test_readers_are_not_locked_out(client: AegisClient, sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    """While a rerun is at work the file can be read, and shows what was there before or what is committed."""
    await export(client, tmp_path, format=name)
    sandbox.change(1)
    seen: list[Any] = []

    def look(_: Progress) -> None:
        if name == "duckdb":
            with duckdb.connect(tmp_path / "export.duckdb", read_only=True) as connection:
                seen.append(connection.execute("SELECT count(*) FROM collections").fetchall())
        else:
            seen.append(run_sqlite(tmp_path, "SELECT count(*) FROM collections"))

    await export(client, tmp_path, format=name, full=True, batch_bytes=1, progress=look)

    assert [[(6,)]] * 6 == seen


@files
async def test_a_file_that_is_no_database_is_one_sentence(client: AegisClient, tmp_path: Path, name: str) -> None:
    """It names the file, which stays as it is and is not kept open, and leaves nothing beside it."""
    await export(client, tmp_path, format="parquet")
    file = tmp_path / f"export.{name}"
    file.write_bytes(b"no database " * 1_000)

    with pytest.raises(ExportError) as caught:
        await export(client, tmp_path, format=name)

    assert str(caught.value).startswith(f"{file}: ")
    assert b"no database " * 1_000 == file.read_bytes()
    assert [file.name] == databases(tmp_path)
    assert file not in kept_open()


async def test_a_database_needs_no_folder_of_old(client: AegisClient, tmp_path: Path) -> None:
    """A database that is moved to another folder is its own checkpoint: only what may have changed is fetched."""
    await export(client, tmp_path / "one", format="sqlite")
    (tmp_path / "two").mkdir()
    first = await export(client, tmp_path / "two", format="sqlite", ids=[1])
    (tmp_path / "one" / "export.sqlite").replace(tmp_path / "two" / "export.sqlite")

    report = await export(client, tmp_path / "two", format="sqlite")

    assert 1 == first.rows["collections"]
    assert 6 == report.rows["collections"]
    assert report.unchanged > 0


@files
async def test_an_interrupted_export_shows_what_it_has(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path, name: str
) -> None:
    """Ctrl-C commits and publishes what was fetched."""
    sandbox.fail("/data-collections/4", delay=float("inf"), times=None)
    reached = asyncio.Event()

    def look(progress: Progress) -> None:
        if progress.done == 3:
            reached.set()

    running = asyncio.create_task(export(client, tmp_path, format=name, concurrency=1, progress=look))
    await reached.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert [(3,)] == RUN[name](tmp_path, "SELECT count(*) FROM collections")
    assert ("interrupted", 3) == (read_report(tmp_path).status, read_report(tmp_path).rows["collections"])


@pytest.mark.service
async def test_two_exports_into_one_database_do_not_meet(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path, postgres: Callable[[], str]
) -> None:
    """Another folder is no way around the lock; when the first has ended the database is free."""
    address, reached = postgres(), asyncio.Event()
    sandbox.fail("/data-collections/4", delay=float("inf"))
    first = asyncio.create_task(
        export(client, tmp_path / "a", format="postgres", to=address, concurrency=1, progress=lambda _: reached.set())
    )
    await reached.wait()

    with pytest.raises(ExportError, match=r"^postgresql://127\.0\.0\.1/export_\d+ is held by another export"):
        await export(client, tmp_path / "b", format="postgres", to=address)

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert "complete" == (await export(client, tmp_path / "b", format="postgres", to=address)).status


@pytest.mark.service
async def test_a_database_that_cannot_be_reached_is_one_sentence(client: AegisClient, tmp_path: Path) -> None:
    """It names the database, and not the password."""
    with pytest.raises(ExportError) as caught:
        await export(client, tmp_path, format="postgres", to="postgresql://me:hunter2@127.0.0.1:1/none")

    assert str(caught.value).startswith("postgresql://127.0.0.1/none: ")
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.service
async def test_a_database_that_refuses_the_lock_is_let_go(
    client: AegisClient, tmp_path: Path, postgres: Callable[[], str]
) -> None:
    """The error is one sentence, and no connection is left behind, with which the database could not be dropped."""
    address = postgres()
    others, _, name = address.rpartition("/")
    psql(address, "REVOKE EXECUTE ON FUNCTION pg_advisory_lock(bigint) FROM PUBLIC")
    psql(address, "CREATE ROLE guest LOGIN")

    with pytest.raises(ExportError, match="permission denied for function pg_advisory_lock") as caught:
        await export(client, tmp_path, format="postgres", to=address.replace("postgres@", "guest@"))

    assert "\n" not in str(caught.value)
    assert "DROP DATABASE\n" == psql(f"{others}/postgres", f"DROP DATABASE {name}")


@pytest.mark.service
async def test_what_a_text_of_postgres_cannot_hold_is_replaced(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path, postgres: Callable[[], str], document: Callable[..., Any]
) -> None:
    """U+0000 becomes U+FFFD; the raw body has it."""
    sandbox.fail("/data-collections/4", body=msgspec.json.encode(document(4, name="a\x00b")))
    address = postgres()

    report = await export(client, tmp_path, format="postgres", to=address, ids=[4])

    assert "complete" == report.status
    assert "a\N{REPLACEMENT CHARACTER}b\n" == psql(address, "SELECT name FROM collections")


@pytest.mark.parametrize("name", ["parquet", "sqlite", "duckdb"])
async def test_an_interruption_while_it_opens_lets_others_in(
    client: AegisClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Cancelled before its first request, an export leaves no lock and no connection, whoever refers to it."""
    loop, reached, folders = asyncio.get_running_loop(), asyncio.Event(), []

    async def after_cancel() -> None:
        reached.set()
        for _ in range(3):  # the turns in which a cancellation arrives
            await asyncio.sleep(0)

    def slow(out: Path) -> Folder:
        folders.append(claim(out))
        asyncio.run_coroutine_threadsafe(after_cancel(), loop).result()
        return folders[-1]

    with monkeypatch.context() as slowly:
        slowly.setattr(_export, "claim", slow)
        running = asyncio.create_task(export(client, tmp_path, format=name))
        await reached.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    assert 1 == len(folders)
    assert "complete" == (await export(client, tmp_path, format=name)).status
