"""Killed at any step of a commit, an export that is run again ends with what an undisturbed run gives."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aegis_async import AegisClient
from aegis_async.export import TABLES, export
from aegis_async.export._layout import FOLDERS
from aegis_async.sandbox import Sandbox
from tests.export.folders import named, state
from tests.export.places import READERS, Place

VICTIM = Path(__file__).with_name("victim.py")
COLLECTIONS = 8
IN_FLIGHT = 2 * 2  # twice the concurrency of the victim: under way, or waiting to be taken
UNDER_WAY = 2  # a batch that is written and one that is full; each has one collection
KINDS = ("parquet", "sqlite", "duckdb", "delta")
service = pytest.param("postgres", marks=pytest.mark.service)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(collections=COLLECTIONS) as server:
        yield server


def start(sandbox: Sandbox, place: Place, name: str, step: int, mode: str) -> subprocess.Popen[str]:
    arguments = [str(place.out), name, place.to or "", str(step), mode]
    return subprocess.Popen(  # noqa: S603 - this interpreter and a script of ours
        [sys.executable, str(VICTIM), *arguments],
        env={**os.environ, **sandbox.env, "PYTHONPATH": str(VICTIM.parents[2])},
        stdout=subprocess.PIPE,
        text=True,
    )


def content(place: Place) -> dict[str, list[dict[str, Any]]]:
    keys = {table.name: [(key, "ascending") for key in table.key] for table in TABLES}
    return {name: place.read(name).sort_by(key).to_pylist() for name, key in keys.items()}


def fetches(sandbox: Sandbox) -> int:
    return sum(request.path.rpartition("/")[2].isdigit() for request in sandbox.requests)


async def resumed(sandbox: Sandbox, place: Place, name: str, mode: str) -> None:
    async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
        report = await export(client, place.out, format=name, to=place.to, full=mode == "full", batch_bytes=1)
    assert "complete" == report.status


def passes(out: Path) -> int:
    """Give how many passes came to their end."""
    if not (out / "_commits").exists():
        return 0
    current = state(out).current
    return current.number if current.finished else current.number - 1


def check_folder(out: Path) -> None:
    """Nothing is left that no commit names."""
    assert named(out) == {f"{folder}/{file.name}" for folder in FOLDERS for file in (out / folder).iterdir()}
    assert not list(out.glob(".export*"))


async def killed_and_resumed(sandbox: Sandbox, place: Place, name: str, step: int, mode: str) -> None:
    before, earlier = fetches(sandbox), passes(place.out)
    with start(sandbox, place, name, step, mode) as victim:
        victim.wait()
    assert -signal.SIGKILL == victim.returncode
    done = passes(place.out) > earlier
    await resumed(sandbox, place, name, mode)
    again = COLLECTIONS if done and mode == "full" else 0  # whoever asks for all of it again gets all of it again
    assert COLLECTIONS + IN_FLIGHT + UNDER_WAY + again >= fetches(sandbox) - before
    check_folder(place.out)


def steps(sandbox: Sandbox, place: Place, name: str, mode: str) -> int:
    with start(sandbox, place, name, 0, mode) as undisturbed:
        return int(undisturbed.communicate()[0])


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("parquet", "new"),
        *((name, "full") for name in KINDS),
        pytest.param("postgres", "full", marks=pytest.mark.service),
    ],
)
async def test_a_killed_export_is_resumed(
    name: str, mode: str, sandbox: Sandbox, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """At some steps, in a new place and in one where every row is replaced; the long form tries every one."""
    place = READERS[name](tmp_path / "out", request)
    undisturbed = READERS["parquet"](tmp_path / "undisturbed", request)
    await resumed(sandbox, undisturbed, "parquet", "new")
    if mode == "full":
        await resumed(sandbox, place, name, "new")

    await killed_and_resumed(sandbox, place, name, random.Random(f"{name} {mode}").randrange(40, 120), mode)

    assert content(undisturbed) == content(place)


@pytest.mark.kill
@pytest.mark.parametrize("mode", ["new", "full"])
@pytest.mark.parametrize("name", [*KINDS, service])
async def test_every_step_may_be_the_last(
    name: str, mode: str, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    """Whichever step an export dies at, its rerun ends with the same content, and asks for little twice."""
    base = tmp_path_factory.mktemp("kill")
    undisturbed = READERS["parquet"](base / "undisturbed", request)
    await resumed(sandbox, undisturbed, "parquet", "new")
    place = READERS[name](base / "out", request)
    if mode == "full":
        await resumed(sandbox, place, name, "new")
    last = steps(sandbox, place, name, mode)

    for step in range(1, last, max(1, last // int(os.environ.get("AEGIS_KILL_POINTS", "40")))):
        if mode == "new":
            place = READERS[name](base / f"out-{step}", request)
        await killed_and_resumed(sandbox, place, name, step, mode)
        assert content(undisturbed) == content(place), f"step {step} of {last}"


@pytest.mark.kill
@pytest.mark.parametrize("name", [*KINDS, service])
async def test_any_time_may_be_the_last(
    name: str, sandbox: Sandbox, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Killed from outside again and again, whenever it may be, it ends with the same content."""
    place = READERS[name](tmp_path / "out", request)
    undisturbed = READERS["parquet"](tmp_path / "undisturbed", request)
    await resumed(sandbox, undisturbed, "parquet", "new")
    chance = random.Random(name)

    for _ in range(int(os.environ.get("AEGIS_KILL_POINTS", "40")) // 4):
        with start(sandbox, place, name, 0, "full") as victim:
            timer = threading.Timer(chance.uniform(0.4, 1.6), victim.kill)
            timer.start()
            victim.wait()
            timer.cancel()
    await resumed(sandbox, place, name, "full")

    assert content(undisturbed) == content(place)
    check_folder(place.out)
