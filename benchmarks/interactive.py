"""``python -m benchmarks.interactive``: what a dashboard feels beside an export, and from a warm cache.

A ``get`` every few milliseconds, alone and while ``get_many`` fetches on the same client, from a server in another
process; then the same collection again and again from the cache.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median, quantiles

from aegis_async import AegisClient, Cache
from benchmarks.rounds import Process

__all__ = ["Felt", "Scale", "markdown", "measure"]


@dataclass(frozen=True, slots=True)
class Scale:
    """How much there is to do.

    Attributes:
        calls: Interactive calls of each phase.
        ids: Ids of the fan-out beside them.
        concurrency: Of that fan-out.
        size: Bytes of a body.
        latency: Seconds of the server before each answer.
        every: Seconds between the beginnings of two interactive calls.
    """

    calls: int = 1000
    ids: int = 5000
    concurrency: int = 16
    size: int = 10_000
    latency: float = 0.02
    every: float = 0.005


@dataclass(frozen=True, slots=True)
class Felt:
    """What came of it.

    Attributes:
        alone: Seconds of each interactive call without anything beside it.
        beside: The same while the fan-out was under way.
        fetched: Collections that the fan-out gave meanwhile.
        warm: Seconds of CPU time of one call from the cache.
        asked: Requests that reached the server for all calls from the cache.
    """

    alone: list[float]
    beside: list[float]
    fetched: int
    warm: float
    asked: int


async def measure(scale: Scale) -> Felt:
    """Measure both phases, one after the other, on one client."""
    async with _server(scale) as url:
        async with AegisClient("sk_benchmark", base_url=url, single_flight=False) as client:
            await _calls(client, scale, 50)  # connections are open, and code is warm
            alone = await _calls(client, scale, scale.calls)
            fan_out = client.data_collections.get_many(range(1, scale.ids + 1), concurrency=scale.concurrency)
            bulk = asyncio.create_task(fan_out.collect())
            beside = await _calls(client, scale, scale.calls, until=bulk)
            fetched = len(await bulk)
        warm, asked = await _from_cache(url, scale.calls * 10)
    return Felt(alone, beside, fetched, warm, asked)


def markdown(felt: Felt) -> str:
    """Give the figures as tables."""
    lines = ["| a `get` every 5 ms | calls | median, ms | 99th percentile, ms |", "|---|--:|--:|--:|"]
    for name, seconds in (("alone", felt.alone), (f"beside a fan-out over {felt.fetched} ids", felt.beside)):
        shown = f"{1e3 * median(seconds):.1f} | {1e3 * _p99(seconds):.1f}"
        lines.append(f"| {name} | {len(seconds)} | {shown} |")
    ratio = _p99(felt.beside) / _p99(felt.alone)
    lines += ["", f"99th percentile: {ratio:.2f} times.", ""]
    lines += [f"From a warm cache: {1e6 * felt.warm:.1f} µs of CPU a call, {felt.asked} request(s) in all."]
    return "\n".join(lines)


def _p99(seconds: list[float]) -> float:
    return quantiles(seconds, n=100, method="inclusive")[98]


async def _calls(
    client: AegisClient, scale: Scale, count: int, until: asyncio.Task[object] | None = None
) -> list[float]:
    taken: list[float] = []

    async def one(id_: int) -> None:
        begun = time.perf_counter()
        await client.data_collections.get(id_)
        taken.append(time.perf_counter() - begun)

    async with asyncio.TaskGroup() as calls:
        for number in range(count):
            if until is not None and until.done():  # what comes after it is not beside it
                break
            calls.create_task(one(1_000_000 + number))
            await asyncio.sleep(scale.every)
    return taken


async def _from_cache(url: str, count: int) -> tuple[float, int]:
    async with AegisClient("sk_benchmark", base_url=url, cache=Cache()) as client:
        await client.data_collections.get(14)
        begun = time.process_time()
        for _ in range(count):
            await client.data_collections.get(14)
        return (time.process_time() - begun) / count, client.stats().attempts


@asynccontextmanager
async def _server(scale: Scale) -> AsyncIterator[str]:
    process = Process(0, "slow_server", scale.size, scale.latency)
    try:
        yield process.read()
    finally:
        process.close()


def main() -> None:
    """Measure and print."""
    argparse.ArgumentParser(prog="python -m benchmarks.interactive", description=__doc__).parse_args()
    print(markdown(asyncio.run(measure(Scale()))))


if __name__ == "__main__":
    main()
