"""How the time of a fan-out grows with the ids and with the processes that share them.

``python -m benchmarks.growth URL FIRST LAST IN_FLIGHT`` is one of these processes.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Final, TypeAlias

import msgspec

from benchmarks.ours import connect
from benchmarks.rounds import Process, cores, served
from benchmarks.works import Scale

__all__ = ["Grown", "Growth", "measure"]

_IDS: Final = (100, 1000, 10_000, 100_000)
_WORKERS: Final = (1, 2, 4)
_EACH: Final = 2000  # ids of one worker
_IN_FLIGHT: Final = 16
_SERVED: Final = Scale(items=10, pages=1, small=1, big=1, ids=200, batch=1)


class Grown(msgspec.Struct, frozen=True):
    """One fan-out.

    Attributes:
        count: Evaluations that came.
        wall: Seconds.
        cpu: Seconds of CPU time, of all processes.
    """

    count: int
    wall: float
    cpu: float


Growth: TypeAlias = dict[str, Grown]
"""By what was done."""


def measure(tell: Callable[[str], object], *, quick: bool) -> Growth:
    """Measure more and more ids, and more and more workers."""
    grown: Growth = {}
    with served(_SERVED) as encoded:
        urls = msgspec.json.decode(encoded, type=dict[str, str])
        for ids in _IDS[:2] if quick else _IDS:
            tell(f"{ids} ids")
            grown[f"{ids} ids"] = _shared(urls["plain"], 1, ids)
        for workers in _WORKERS[:2] if quick else _WORKERS:
            tell(f"workers: {workers}")
            each = _EACH // 10 if quick else _EACH
            grown[f"workers: {workers}"] = _shared(urls["late"], workers, each * workers)
    return grown


def _shared(url: str, workers: int, ids: int) -> Grown:
    each = ids // workers
    started = [Process(cores()[1] if workers == 1 else None, "growth", url, each, _IN_FLIGHT) for _ in range(workers)]
    try:
        for process in started:
            process.read()  # it is connected
        begun = time.perf_counter()
        for process in started:
            process.write("go")
        done = [msgspec.json.decode(process.read(), type=Grown) for process in started]
        wall = time.perf_counter() - begun
    finally:
        for process in started:
            process.close()
    return Grown(sum(one.count for one in done), wall, sum(one.cpu for one in done))


async def _work(url: str, ids: int, in_flight: int) -> None:
    async with connect(url) as contender:
        few = _SERVED.ids  # ids that the server has; what an answer costs does not depend on which it is
        await contender.fan_out(range(1, in_flight + 1), in_flight)
        print("connected", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        wall, cpu = time.perf_counter(), time.process_time()
        count = await contender.fan_out((1 + number % few for number in range(ids)), in_flight)
        taken = Grown(count, time.perf_counter() - wall, time.process_time() - cpu)
        print(msgspec.json.encode(taken).decode(), flush=True)


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1], *map(int, sys.argv[2:])))
