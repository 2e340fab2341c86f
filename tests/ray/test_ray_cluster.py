"""A cluster of several nodes, each with processes of its own on this machine: one of them dies, or the driver."""

import logging
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.cluster_utils import Cluster

from aegis_async import AegisClient
from aegis_async.export import Progress, export, verify
from aegis_async.sandbox import Sandbox
from tests.ray.accounts import content, fetches, strays
from tests.ray.conftest import COLLECTIONS
from tests.ray.processes import kill_a_worker

pytestmark = pytest.mark.ray

DRIVER = Path(__file__).with_name("driver.py")
HANDS = 2
_SMALL = {"num_cpus": 1, "object_store_memory": 80 << 20}
_SOON = {"health_check_period_ms": 500, "health_check_failure_threshold": 4}  # a dead node is missed in seconds


@pytest.fixture(scope="module")
def head() -> Iterator[Cluster]:
    """A cluster whose head has one CPU; beginning one takes longer than a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        head = {**_SMALL, "include_dashboard": False, "_system_config": _SOON}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        yield cluster
        cluster.shutdown()


@pytest.fixture
def nodes(head: Cluster) -> Iterator[Cluster]:
    """The head and two more nodes, with a CPU each."""
    while len(head.worker_nodes) < 2:
        head.add_node(**_SMALL)
    head.wait_for_nodes()
    yield head
    ray.shutdown()
    for node in [node for node in head.worker_nodes if raylet(node).poll() is not None]:
        head.remove_node(node, allow_graceful=False)


def connect(cluster: Cluster) -> None:
    ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)


def kill_node(cluster: Cluster) -> None:
    """Kill the raylet of a node that is not the head, with which its workers end."""
    raylet(cluster.list_all_nodes()[-1]).kill()


def raylet(node: Any) -> subprocess.Popen[bytes]:
    """Give the process that a node stands and falls with."""
    (found,) = node.all_processes["raylet"]
    process: subprocess.Popen[bytes] = found.process
    return process


def in_turn(acts: dict[int, Callable[[], None]]) -> Callable[[Progress], None]:
    """Do each once, when so many collections are done."""
    waiting = dict(acts)

    def told(progress: Progress) -> None:
        for done in [done for done in waiting if progress.done >= done]:
            waiting.pop(done)()

    return told


async def local(sandbox: Sandbox, out: Path) -> None:
    async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
        await export(client, out)
    sandbox.clear_requests()


async def test_a_worker_and_a_node_die(nodes: Cluster, sandbox: Sandbox, tmp_path: Path) -> None:
    """Both have their work done by others: the tables are those of one machine, and little is asked for twice."""
    await local(sandbox, tmp_path / "local")
    connect(nodes)
    kills = in_turn({8: kill_a_worker, 20: lambda: kill_node(nodes)})

    async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
        report = await export(client, tmp_path / "out", engine="ray", workers=3, batch_bytes=1, progress=kills)

    assert ("complete", COLLECTIONS) == (report.status, report.fetched)
    assert COLLECTIONS <= fetches(sandbox) <= COLLECTIONS + 2 * HANDS
    assert content(tmp_path / "local") == content(tmp_path / "out")
    assert [] == verify(tmp_path / "out")
    assert set() == strays(tmp_path / "out")


def killed_driver(cluster: Cluster, sandbox: Sandbox, out: Path, done: int) -> int:
    """Run a driver that kills itself, and give how it ended."""
    environment = {**os.environ, **sandbox.env, "PYTHONPATH": str(DRIVER.parents[2])}
    arguments = [sys.executable, str(DRIVER), str(out), cluster.address, str(done)]
    return subprocess.run(arguments, env=environment, check=False).returncode  # noqa: S603 - a script of ours


@pytest.mark.parametrize("engine", ["ray", pytest.param("local", marks=pytest.mark.long)])
async def test_a_driver_dies(engine: str, nodes: Cluster, sandbox: Sandbox, tmp_path: Path) -> None:
    """What it had committed is kept, and another run, on either engine, fetches the rest and what was in hand."""
    await local(sandbox, tmp_path / "local")

    assert -signal.SIGKILL == killed_driver(nodes, sandbox, tmp_path / "out", 15)
    connect(nodes)
    async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
        report = await export(client, tmp_path / "out", engine=engine)  # type: ignore[arg-type]  # one of two

    uncommitted = 1  # what it was told of when it died
    assert "complete" == report.status
    assert 15 - uncommitted <= report.unchanged
    assert COLLECTIONS <= fetches(sandbox) <= COLLECTIONS + 2 * HANDS + uncommitted
    assert content(tmp_path / "local") == content(tmp_path / "out")
    assert [] == verify(tmp_path / "out")
    assert set() == strays(tmp_path / "out")


@pytest.mark.kill
async def test_many_die(nodes: Cluster, sandbox: Sandbox, tmp_path: Path) -> None:
    """Drivers and workers die again and again, and a node at last: the end is that of an undisturbed run."""
    await local(sandbox, tmp_path / "local")
    chance = random.Random(8)
    for _ in range(int(os.environ.get("AEGIS_KILL_POINTS", "6"))):
        assert -signal.SIGKILL == killed_driver(nodes, sandbox, tmp_path / "out", chance.randrange(1, COLLECTIONS // 2))
    connect(nodes)
    kills = in_turn({5: kill_a_worker, 12: kill_a_worker, 25: kill_a_worker, 30: lambda: kill_node(nodes)})

    async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
        report = await export(
            client, tmp_path / "out", engine="ray", workers=3, batch_bytes=1, full=True, progress=kills
        )

    assert "complete" == report.status
    assert content(tmp_path / "local") == content(tmp_path / "out")
    assert [] == verify(tmp_path / "out")
    assert set() == strays(tmp_path / "out")
