"""Several keys of one account: each with a limit of its own, and all at one export."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from ray.exceptions import RayActorError

from aegis_async import AegisClient, RateLimit
from aegis_async.errors import AuthenticationError
from aegis_async.export import Progress, export, read_report, verify
from aegis_async.export._ray._desks import limiter
from aegis_async.export._ray._limiter import LimiterHandle
from aegis_async.sandbox import Sandbox
from tests.ray.accounts import content, strays

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("cluster")]

COLLECTIONS = 200
RATE = 40.0


async def local(out: Path) -> None:
    """Export the same account on one machine, from a service without a rate."""
    async with (
        Sandbox(collections=COLLECTIONS) as sandbox,
        AegisClient(sandbox.api_key, base_url=sandbox.url) as client,
    ):
        await export(client, out)


in_twos = partial(export, engine="ray", workers=2, batch_bytes=1)  # a batch for each collection


async def test_two_keys_share_the_work_and_each_keeps_its_rate(tmp_path: Path) -> None:
    """Neither hears a 429 after the first second, both fetch, and the tables are those of one machine."""
    await local(tmp_path / "local")
    with Sandbox(collections=COLLECTIONS, rate=RATE, keys=2) as sandbox:
        async with AegisClient(sandbox.api_key, base_url=sandbox.url, rate_limit=RATE) as client:
            report = await export(
                client, tmp_path / "ray", engine="ray", workers=4, concurrency=32, keys=sandbox.api_keys[1:]
            )
        requests = sandbox.requests

    first = requests[0].at
    bodies = [request.key for request in requests if request.path != "/data-collections"]
    assert ("complete", COLLECTIONS) == (report.status, report.fetched)
    assert [] == [request for request in requests if request.status == 429 and request.at > first + 1.0]
    assert {0, 1} == set(bodies)
    assert min(bodies.count(0), bodies.count(1)) > COLLECTIONS / 8
    assert await asyncio.to_thread(content, tmp_path / "local") == await asyncio.to_thread(content, tmp_path / "ray")
    assert [] == await asyncio.to_thread(verify, tmp_path / "ray")
    assert set() == strays(tmp_path / "ray")


@pytest.mark.long
async def test_a_key_that_must_wait_leaves_the_work_to_the_other(tmp_path: Path) -> None:
    """A 429 pauses those alone who share the key; a partition goes to whoever is free."""
    with Sandbox(collections=COLLECTIONS, latency=0.01, keys=2) as sandbox:
        refusals = [partial(sandbox.fail, "/data-collections/*", status=429, retry_after=3)]

        def refuse(_: Progress) -> None:
            at_work = {request.key for request in sandbox.requests if request.path != "/data-collections"}
            if {0, 1} == at_work and refusals:
                refusals.pop()()

        async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
            report = await in_twos(client, tmp_path, keys=sandbox.api_keys[1:], progress=refuse)
        requests = sandbox.requests

    (refused,) = [request for request in requests if request.status == 429]
    meanwhile = {request.key for request in requests if refused.at + 0.5 < request.at < refused.at + 2.5}
    assert "complete" == report.status
    assert {1 - (refused.key or 0)} == meanwhile


@pytest.mark.long
async def test_a_further_key_that_is_refused_ends_it(tmp_path: Path) -> None:
    """A 401 in the middle is the export's error, whichever key it was; what was fetched is committed."""
    with Sandbox(collections=60, latency=0.02, keys=2) as sandbox:

        def refuse(progress: Progress) -> None:
            if progress.done >= 10:
                sandbox.fail("/data-collections/*", status=401, times=None)

        async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
            with pytest.raises(AuthenticationError) as raised:
                await in_twos(client, tmp_path, keys=sandbox.api_keys[1:], progress=refuse)

    assert 10 <= read_report(tmp_path).fetched < 60
    assert not [key for key in sandbox.api_keys if key in repr(raised.value) + str(raised.value)]
    assert not [key for key in sandbox.api_keys for file in files(tmp_path) if key.encode() in file.read_bytes()]


async def test_the_clients_key_alone_says_what_is_gone(tmp_path: Path) -> None:
    """Another user's key may not see what is there: a 404 that it gets drops nothing."""
    gone = range(3, 11)
    with Sandbox(collections=12, keys=2) as sandbox:
        async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
            await export(client, tmp_path)
            for id_ in gone:
                sandbox.delete(id_)
            sandbox.clear_requests()
            report = await export(client, tmp_path, engine="ray", workers=2, deleted="drop", keys=sandbox.api_keys[1:])
        asked = {request.key for request in sandbox.requests if request.status == 404}

    assert set(gone) == set(report.deleted)
    assert {0} == asked


def files(out: Path) -> list[Path]:
    return [path for path in out.rglob("*") if path.is_file()]


async def test_no_limiter_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a cluster that goes on, the limiters of each key end with the export."""
    begun: list[LimiterHandle] = []

    def kept(rate: RateLimit | None) -> LimiterHandle:
        begun.append(limiter(rate))
        return begun[-1]

    monkeypatch.setattr("aegis_async.export._ray._engine.limiter", kept)
    with Sandbox(collections=4, keys=2) as sandbox:
        async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
            await export(client, tmp_path, engine="ray", workers=2, keys=sandbox.api_keys[1:])

    assert 2 == len(begun)
    for one in begun:
        with pytest.raises(RayActorError):
            await one.reserve.remote(1)
