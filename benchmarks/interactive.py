"""``python -m benchmarks.interactive``: what a dashboard feels beside an export, in a crowd, and from a warm cache.

A ``get`` every few milliseconds, alone and while ``get_many`` fetches on the same client, from a server in another
process that counts its requests; then one collection for a thousand callers at once, and over and over from the cache.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Final

import msgspec

from aegis_async import AegisClient, Cache
from benchmarks.rounds import Process

__all__ = ["Crowd", "Felt", "Scale", "markdown", "measure", "p99"]

_CROWD: Final = 1000  # callers at once of a cold cache
_SETTINGS: Final = {"with a cache": True, "without a cache": False}


@dataclass(frozen=True, slots=True)
class Scale:
    """How much there is to do.

    Attributes:
        rounds: How often both phases are gone through, in turn.
        calls: Interactive calls of each phase.
        ids: Ids of the fan-out beside them.
        concurrency: Of that fan-out.
        size: Bytes of a body.
        latency: Seconds of the server before each answer.
        every: Seconds between the beginnings of two interactive calls.
    """

    rounds: int = 3
    calls: int = 1000
    ids: int = 5000
    concurrency: int = 16
    size: int = 10_000
    latency: float = 0.02
    every: float = 0.005


@dataclass(frozen=True, slots=True)
class Crowd:
    """What it costs when many ask for one collection at the same time.

    Attributes:
        cpu: Seconds of CPU time of one call.
        asked: Requests that reached the server for all of them.
    """

    cpu: float
    asked: int


@dataclass(slots=True)
class Felt:
    """What came of it.

    Attributes:
        alone: Seconds of each interactive call without anything beside it.
        beside: The same while the fan-out was under way.
        fetched: Collections that the fan-out gave meanwhile.
        crowds: A thousand callers at once of what nobody had fetched, by the client's setting.
        warm: One caller after the other, of what the cache holds.
    """

    alone: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    fetched: int = 0
    crowds: dict[str, Crowd] = field(default_factory=dict)
    warm: Crowd = Crowd(0.0, 0)


async def measure(scale: Scale) -> Felt:
    """Measure both phases in turn, on one client; then the crowds."""
    felt = Felt()
    async with _server(scale) as server:
        async with AegisClient("sk_benchmark", base_url=server.url, single_flight=False) as client:
            await _calls(client, scale, 50)  # connections are open, and code is warm
            for _ in range(scale.rounds):
                felt.alone += await _calls(client, scale, scale.calls)
                fan_out = client.data_collections.get_many(range(1, scale.ids + 1), concurrency=scale.concurrency)
                bulk = asyncio.create_task(fan_out.collect())
                felt.beside += await _calls(client, scale, scale.calls, until=bulk)
                felt.fetched += len(await bulk)
        felt.crowds = {name: await _crowd(server, cached=cached) for name, cached in _SETTINGS.items()}
        felt.warm = await _one_after_the_other(server, scale.calls * 10)
    return felt


def markdown(felt: Felt) -> str:
    """Give the figures as tables."""
    lines = ["| a `get` every 5 ms | calls | median, ms | 99th percentile, ms |", "|---|--:|--:|--:|"]
    for name, seconds in (("alone", felt.alone), (f"beside `get_many`, {felt.fetched:,} ids in all", felt.beside)):
        lines.append(f"| {name} | {len(seconds)} | {1e3 * median(seconds):.1f} | {1e3 * p99(seconds):.1f} |")
    ratio = p99(felt.beside) / p99(felt.alone)
    lines += ["", f"99th percentile: {ratio:.2f} times.", ""]
    lines += ["| `get(14)` | µs of CPU a call | requests at the server |", "|---|--:|--:|"]
    crowds = {f"{_CROWD} callers at once, {name}": crowd for name, crowd in felt.crowds.items()}
    for name, crowd in (crowds | {"from a warm cache": felt.warm}).items():
        lines.append(f"| {name} | {1e6 * crowd.cpu:.1f} | {crowd.asked} |")
    return "\n".join(lines)


def p99(seconds: list[float]) -> float:
    """Give the 99th percentile."""
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


async def _crowd(server: "_Server", *, cached: bool) -> Crowd:
    async with AegisClient("sk_benchmark", base_url=server.url, cache=Cache() if cached else None) as client:
        before, begun = server.requests(), time.process_time()
        await asyncio.gather(*(client.data_collections.get(14) for _ in range(_CROWD)))
        return Crowd((time.process_time() - begun) / _CROWD, server.requests() - before)


async def _one_after_the_other(server: "_Server", count: int) -> Crowd:
    async with AegisClient("sk_benchmark", base_url=server.url, cache=Cache()) as client:
        await client.data_collections.get(14)
        before, begun = server.requests(), time.process_time()
        for _ in range(count):
            await client.data_collections.get(14)
        return Crowd((time.process_time() - begun) / count, server.requests() - before)


class _Server:
    def __init__(self, process: Process) -> None:
        self._process = process
        self.url = process.read()

    def requests(self) -> int:
        return int(self._process.ask(""))


@asynccontextmanager
async def _server(scale: Scale) -> AsyncIterator[_Server]:
    process = Process(0, "slow_server", scale.size, scale.latency)
    try:
        yield _Server(process)
    finally:
        process.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.interactive", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single call to this file too")
    given = parser.parse_args()
    felt = asyncio.run(measure(Scale()))
    print(markdown(felt))
    if given.json:
        given.json.write_bytes(msgspec.json.encode(felt))


if __name__ == "__main__":
    main()
