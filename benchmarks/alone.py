"""One walk in a process of its own, for its memory: ``python -m benchmarks.alone NAME CALL URL SIZE PAGES``."""

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final, Protocol

import msgspec

from benchmarks.contestants import CONTESTANTS
from benchmarks.memory import held, largest, reset_largest
from benchmarks.works import Connect, Contender

__all__ = ["Walk"]


class Walk(msgspec.Struct, frozen=True):
    """What one walk took.

    Attributes:
        count: Items that came.
        cpu: Seconds of CPU time.
        held: Bytes of memory when it was over, above those at the start.
        peak: Bytes at most, above those at the start.
        page: Bytes of one page's body.
    """

    count: int
    cpu: float
    held: int
    peak: int
    page: int = 0


class _Keeping(Contender, Protocol):
    async def collect(self, page_size: int) -> list[object]: ...


async def _walk(contender: _Keeping, size: int, pages: int) -> tuple[int, object]:
    return await contender.walk(size, pages), None


async def _collect(contender: _Keeping, size: int, _pages: int) -> tuple[int, object]:
    kept = await contender.collect(size)
    return len(kept), kept


_CALLS: Final[Mapping[str, Callable[[_Keeping, int, int], Awaitable[tuple[int, object]]]]] = MappingProxyType(
    {"walk": _walk, "collect": _collect}
)


async def _measured(name: str, call: str, url: str, size: int, pages: int) -> Walk:
    contestant = CONTESTANTS[name]
    connect: Connect = import_module(f"benchmarks.{contestant.module}").connect
    async with connect(url, **contestant.settings) as contender:
        gc.collect()
        reset_largest()
        start, begun = held(), time.process_time()
        count, kept = await _CALLS[call](contender, size, pages)  # type: ignore[arg-type]  # those asked can collect
        taken = time.process_time() - begun
        walk = Walk(count, taken, held() - start, largest() - start)
        del kept  # it was held until here
        return walk


if __name__ == "__main__":
    name, call, url, size, pages = sys.argv[1:]
    print(msgspec.json.encode(asyncio.run(_measured(name, call, url, int(size), int(pages)))).decode(), flush=True)
