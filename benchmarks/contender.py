"""One contender in a process of its own: takes works as JSON lines and answers each with what it cost."""

import asyncio
import json
import resource
import sys
import time
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import Any, Protocol

from benchmarks.server import pin

__all__: list[str] = []


class Contender(Protocol):
    """What each contender can do; every work gives a count, so that none is done by half."""

    async def listing(self, page_size: int) -> int:
        """Read a whole listing."""

    async def get(self, id_: int) -> int:
        """Read one collection."""


async def _work(contender: Contender, name: str, argument: int, times: int) -> dict[str, Any]:
    work = getattr(contender, name)
    wall, processor = time.perf_counter(), time.process_time()
    count = 0
    for _ in range(times):
        count += await work(argument)
    used, took = time.process_time() - processor, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"count": count, "cpu": used, "wall": took, "peak_kib": peak}


async def _main(module: str, url: str) -> None:
    opened: AbstractAsyncContextManager[Contender] = import_module(f"benchmarks.{module}").opened(url)
    async with opened as contender:
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(await _work(contender, **json.loads(line))), flush=True)


if __name__ == "__main__":
    pin(0)
    asyncio.run(_main(*sys.argv[1:]))
