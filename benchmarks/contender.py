"""One contender in a process of its own: does the work that standard input names, and prints what it took.

``python -m benchmarks.contender NAME URLS SCALE``: the last two as JSON.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from importlib import import_module

import msgspec

from benchmarks.contestants import CONTESTANTS, Contestant
from benchmarks.memory import largest, reset_largest
from benchmarks.works import WORKS, Connect, Contender, Scale, Work

__all__ = ["Asked", "Batch"]


class Asked(msgspec.Struct, frozen=True):
    """What to do.

    Attributes:
        work: Its name.
        laps: How often.
    """

    work: str
    laps: int


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """One batch of work.

    Attributes:
        count: What it got.
        laps: How often the work was done.
        wall: Seconds that it took.
        cpu: Seconds of CPU time that this process spent on it.
        peak: Bytes of memory that the process had at most.
    """

    count: int
    laps: int
    wall: float
    cpu: float
    peak: int


class _Alone:
    """A contender, connected to each service when it is first asked there."""

    def __init__(self, contestant: Contestant, urls: dict[str, str], scale: Scale) -> None:
        self._connect: Connect = import_module(f"benchmarks.{contestant.module}").connect
        self._settings, self._urls, self._scale = contestant.settings, urls, scale
        self._connected: dict[str, Contender] = {}
        self._stack = AsyncExitStack()

    async def measured(self, work: Work, laps: int) -> Batch:
        contender = await self._at(work.service)
        gc.collect()  # the garbage of the batch before is not this one's
        reset_largest()
        wall, cpu = time.perf_counter(), time.process_time()
        count = 0
        for _ in range(laps):
            count += await work.do(contender, self._scale)
        return Batch(count, laps, time.perf_counter() - wall, time.process_time() - cpu, largest())

    async def _at(self, service: str) -> Contender:
        if service not in self._connected:
            connecting = self._connect(self._urls[service], **self._settings)
            self._connected[service] = await self._stack.enter_async_context(connecting)
        return self._connected[service]

    async def aclose(self) -> None:
        await self._stack.aclose()


def main(name: str, urls: str, scale: str) -> None:
    """Do one batch for each line of standard input."""
    contestant = CONTESTANTS[name]
    if contestant.without is not None:
        sys.modules[contestant.without] = None  # type: ignore[assignment]  # so that importing it fails
    with asyncio.Runner(loop_factory=_loop_factory(contestant.loop)) as runner:
        alone = _Alone(contestant, msgspec.json.decode(urls), msgspec.json.decode(scale, type=Scale))
        for line in sys.stdin:
            asked = msgspec.json.decode(line, type=Asked)
            batch = runner.run(alone.measured(WORKS[asked.work], asked.laps))
            print(msgspec.json.encode(batch).decode(), flush=True)
        runner.run(alone.aclose())


def _loop_factory(loop: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    if loop == "asyncio":
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = import_module(loop).new_event_loop
    return factory


if __name__ == "__main__":
    main(*sys.argv[1:])
