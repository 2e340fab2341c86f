"""Runs clients with fixed limits and with the adaptive one against sandboxes of several sizes, and draws it.

``python -m docs.pictures.adaptive`` takes about six minutes, prints the table of ``docs/adaptive.md`` and writes
``docs/pictures/adaptive.svg``; matplotlib is in the dependency group ``pictures``.
"""

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any, Final, Literal, cast

from aegis_async import AegisClient, RetryPolicy
from aegis_async.sandbox import Sandbox

__all__ = ["Measured", "Sample", "draw", "main", "measure"]

Overload = Literal["wait", "refuse"]
Limit = int | Literal["auto"]

LATENCIES: Final = {4: 0.05, 16: 0.15, 64: 0.5}
"""Seconds for one request, by the capacity: what all of them give together is little work for the machine."""
OVERLOADS: Final[tuple[Overload, ...]] = ("wait", "refuse")
CALLERS: Final = 200
FIXED: Final = 5.0  # seconds for a fixed limit
SETTLED: Final = 15.0  # seconds from which the adaptive one is judged
HALVED: Final = 27.0  # when half of the capacity goes
END: Final = 40.0
RECOVERED: Final = 6.0  # seconds after that, from which it is judged again
_TICK: Final = 0.1


@dataclass(frozen=True)
class Sample:
    """The state of a client at an instant: seconds since the start, its limit, results and retries so far."""

    at: float
    limit: int
    done: int
    retries: int


@dataclass(frozen=True)
class Measured:
    """What one service gave: results per second for each fixed limit, and the adaptive one's samples."""

    capacity: int
    overload: Overload
    fixed: dict[int, float]
    auto: list[Sample]

    def rate(self, begin: float, end: float) -> float:
        """Give the adaptive one's results per second between two instants."""
        inside = self.between(begin, end)
        return (inside[-1].done - inside[0].done) / (inside[-1].at - inside[0].at)

    def between(self, begin: float, end: float) -> list[Sample]:
        """Give the samples between two instants."""
        return [sample for sample in self.auto if begin <= sample.at < end]


class Service:
    """A sandbox in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, key: str) -> None:
        self._process = process
        self.url = url
        self.key = key

    async def resize(self, capacity: int) -> None:
        """Give it another capacity."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        self._process.stdin.write(f"{capacity}\n".encode())
        await self._process.stdin.drain()


@asynccontextmanager
async def service(capacity: int, overload: Overload) -> AsyncIterator[Service]:
    """Start a sandbox in another process, and end it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "docs.pictures.adaptive", str(capacity), overload),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - they are pipes
    url, key = (await process.stdout.readline()).decode().split()
    try:
        yield Service(process, url, key)
    finally:
        process.stdin.close()
        await process.wait()


def serve(capacity: int, overload: Overload) -> None:
    """Serve until standard input ends; each line of it is another capacity."""
    with Sandbox(capacity=capacity, overload=overload, latency=LATENCIES[capacity]) as sandbox:
        print(sandbox.url, sandbox.api_key, flush=True)
        for line in sys.stdin:
            sandbox.capacity = int(line)


async def load(of: Service, limit: Limit, seconds: float, *, halve_to: int | None = None) -> list[Sample]:
    """Let many callers go on for so long through one client, and watch it."""
    samples = list[Sample]()
    done = 0
    begun = time.monotonic()
    patient = RetryPolicy(max_attempts=1_000, budget=None)  # the load must not end
    async with AegisClient(
        of.key, base_url=of.url, max_concurrency=limit, retry=patient, single_flight=False
    ) as client:

        async def call() -> None:
            nonlocal done
            while True:
                await client.fetch("/runs/1", bytes)
                done += 1

        callers = [asyncio.create_task(call()) for _ in range(CALLERS)]
        halved = False
        while (now := time.monotonic() - begun) < seconds:
            stats = client.stats()
            samples.append(Sample(now, stats.limit, done, stats.retries))
            if halve_to is not None and not halved and now >= HALVED:
                halved = True
                await of.resize(halve_to)
            await asyncio.sleep(_TICK)
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
    return samples


async def measure(capacity: int, overload: Overload) -> Measured:
    """Measure fixed limits around the capacity and the adaptive one against one service."""
    async with service(capacity, overload) as running:
        fixed = dict[int, float]()
        for limit in (capacity // 2, capacity, capacity * 2):
            samples = await load(running, limit, FIXED)
            steady = [sample for sample in samples if sample.at >= FIXED / 4]
            fixed[limit] = (steady[-1].done - steady[0].done) / (steady[-1].at - steady[0].at)
        auto = await load(running, "auto", END, halve_to=capacity // 2)
    return Measured(capacity, overload, fixed, auto)


def row(found: Measured) -> str:
    """Give one line of the table."""
    best_limit, best = max(found.fixed.items(), key=lambda pair: pair[1])
    limits = [sample.limit for sample in found.between(SETTLED, HALVED)]
    ratio = found.rate(SETTLED, HALVED) / best
    # The service's own bound: what half of the capacity can give is known, not measured.
    after = found.rate(HALVED + RECOVERED, END) * LATENCIES[found.capacity] / (found.capacity // 2)
    settled = found.between(SETTLED, HALVED)
    retries = settled[-1].retries - settled[0].retries
    refused = retries / (settled[-1].done - settled[0].done + retries)
    low, high = min(limits) / mean(limits) - 1, max(limits) / mean(limits) - 1
    return (
        f"| {found.capacity} | {found.overload} | {best:.0f} ({best_limit}) | {ratio:.2f} | {mean(limits):.1f} "
        f"| {low:+.0%} to {high:+.0%} | {refused:.1%} | {after:.2f} |"
    )


def draw(all_found: list[Measured], file: Path) -> None:
    """Draw the limit and the results over time: a column for each capacity, two rows for each way of overload."""
    import matplotlib as mpl  # noqa: PLC0415 - only in the group for pictures

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "aegis_async", "svg.fonttype": "none", "font.size": 8})
    from matplotlib import pyplot as plt  # noqa: PLC0415 - likewise

    columns = len(LATENCIES)
    figure, grid = plt.subplots(2 * len(OVERLOADS), columns, figsize=(7.6, 8.4), sharex=True)
    for place, found in enumerate(all_found):
        row, column = divmod(place, columns)
        draw_limit(grid[2 * row][column], found)
        draw_results(grid[2 * row + 1][column], found)
    for row in range(len(OVERLOADS)):
        grid[2 * row][0].set_ylabel("requests at once")
        grid[2 * row + 1][0].set_ylabel("results per second")
    grid[0][0].legend(fontsize=6, loc="lower right")
    for axes in grid[-1]:
        axes.set_xlabel("seconds")
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})


def draw_limit(axes: Any, found: Measured) -> None:
    """Draw the limit over time beside the capacity."""
    axes.set_title(f"{found.capacity} at once, then {found.capacity // 2} ({found.overload})", fontsize=8)
    axes.plot([s.at for s in found.auto], [s.limit for s in found.auto], linewidth=0.9, label="limit")
    axes.plot(*steps(found, 1.0), "--", color="gray", linewidth=0.8, label="capacity")
    axes.set_ylim(bottom=0)


def draw_results(axes: Any, found: Measured) -> None:
    """Draw the results per second beside what is possible, and what the fixed limits gave."""
    marks = found.auto[::10]
    rates = [(b.done - a.done) / (b.at - a.at) for a, b in pairwise(marks)]
    axes.plot([s.at for s in marks[1:]], rates, linewidth=0.9, label='"auto"')
    axes.plot(*steps(found, LATENCIES[found.capacity]), "--", color="gray", linewidth=0.8, label="possible")
    for tried, rate in found.fixed.items():
        axes.plot([0, HALVED], [rate, rate], ":", linewidth=0.8, label=f"fixed {tried}")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=6, loc="lower left")


def steps(found: Measured, latency: float) -> tuple[list[float], list[float]]:
    """Give the instants, and what the capacity gives then if each request takes so long."""
    places = (found.capacity, found.capacity, found.capacity // 2, found.capacity // 2)
    return [0, HALVED, HALVED, END], [place / latency for place in places]


async def main() -> None:
    """Measure everything, print the table and draw the picture."""
    logging.getLogger("aegis_async").setLevel(logging.ERROR)  # refusals are what is wanted here
    found = list[Measured]()
    for overload in OVERLOADS:
        for capacity in LATENCIES:
            found.append(await measure(capacity, overload))
            print(row(found[-1]), flush=True)
    draw(found, Path(__file__).with_suffix(".svg"))


if __name__ == "__main__":
    if sys.argv[1:]:
        serve(int(sys.argv[1]), cast("Overload", sys.argv[2]))
    else:
        asyncio.run(main())
