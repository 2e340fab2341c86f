"""One limit for the cluster: the rate and the pauses of a key hold for all workers together."""

import asyncio
from pathlib import Path

import pytest

from aegis_async import AegisClient, RateLimit
from aegis_async.export import Progress, export
from aegis_async.export._ray._desks import end, limiter
from aegis_async.sandbox import Sandbox
from tests.ray.processes import kill

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("cluster")]

RATE = 40.0


async def test_four_workers_keep_the_rate_of_their_key(tmp_path: Path) -> None:
    """Of a service that allows a key forty requests a second, four workers and their driver hear no 429."""
    with Sandbox(collections=200, rate=RATE) as sandbox:
        async with AegisClient(sandbox.api_key, base_url=sandbox.url, rate_limit=RATE) as client:
            report = await export(client, tmp_path, engine="ray", workers=4, concurrency=32)
        requests = sandbox.requests

    first = requests[0].at
    assert "complete" == report.status
    assert [] == [request.at - first for request in requests if request.status == 429 and request.at > first + 1.0]
    assert 2 < requests[-1].at - first  # so many would be faster if nobody kept a rate


async def test_whoever_listens_keeps_nobody_from_a_turn() -> None:
    """A limiter answers the next question, however many workers wait for its next pause."""
    one = limiter(RateLimit(40))
    seen, _ = await one.pauses.remote(0)
    listening = [asyncio.ensure_future(one.pauses.remote(seen)) for _ in range(1_100)]

    turns = await asyncio.wait_for(one.reserve.remote(1), 30)

    assert [0.0] == turns
    await end(one)
    await asyncio.gather(*listening, return_exceptions=True)


async def test_a_429_pauses_everybody(tmp_path: Path) -> None:
    """What one worker is asked to wait, all wait: no request arrives in that time but those on their way."""
    with Sandbox(collections=60, latency=0.01) as sandbox:
        sandbox.fail("/data-collections/20", status=429, retry_after=2)
        async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
            report = await export(client, tmp_path, engine="ray", workers=2)
        requests = sandbox.requests

    (refused,) = [request for request in requests if request.status == 429]
    held = [request for request in requests if refused.at + 1.0 < request.at < refused.at + 2.0]
    assert "complete" == report.status
    assert [] == held
    assert [request for request in requests if request.at > refused.at + 2.0]


async def test_a_dead_limiter_is_replaced(tmp_path: Path) -> None:
    """Who asked it asks the next one, and the export comes to its end at the same rate."""
    deaths = [lambda: kill("Limiter")]

    def told(progress: Progress) -> None:
        if progress.done >= 20 and deaths:
            deaths.pop()()

    with Sandbox(collections=60) as sandbox:
        async with AegisClient(sandbox.api_key, base_url=sandbox.url, rate_limit=100) as client:
            report = await export(client, tmp_path, engine="ray", workers=2, batch_bytes=1, progress=told)

    assert [] == deaths
    assert ("complete", 60) == (report.status, report.fetched)
