"""One contender in a process of its own: does the work that standard input names, and prints what it took.

``python -m benchmarks.contender MODULE URL ITEMS SMALL BIG IDS LAPS``
"""

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from importlib import import_module

import msgspec

from benchmarks.works import Connect, Contender, Scale, works

__all__ = ["Batch"]


class Batch(msgspec.Struct, frozen=True):
    """One batch of work.

    Attributes:
        count: What it got.
        wall: Seconds that it took.
        cpu: Seconds of CPU time that this process spent on it.
    """

    count: int
    wall: float
    cpu: float


async def _measured(work: Callable[[Contender], Awaitable[int]], contender: Contender, laps: int) -> Batch:
    gc.collect()  # the garbage of the batch before is not this one's
    wall, cpu = time.perf_counter(), time.process_time()
    count = 0
    for _ in range(laps):
        count += await work(contender)
    return Batch(count, time.perf_counter() - wall, time.process_time() - cpu)


def main(module: str, url: str, scale: Scale) -> None:
    """Connect, then do one batch for each line of standard input."""
    connect: Connect = import_module(f"benchmarks.{module}").connect
    known = works(scale)
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        contender = runner.run(stack.enter_async_context(connect(url)))
        for line in sys.stdin:
            batch = runner.run(_measured(known[line.rstrip("\n")], contender, scale.laps))
            print(msgspec.json.encode(batch).decode(), flush=True)
        runner.run(stack.aclose())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Scale(*map(int, sys.argv[3:])))
