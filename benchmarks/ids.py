"""What a fan-out costs beside its requests: a million ids against a stub; ``python -m benchmarks.ids [IDS]``."""

import argparse
import asyncio
import resource
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import msgspec

from aegis_async._fanout import FanOut, Job
from aegis_async._tasks import TaskOwner

__all__ = ["Cost", "markdown", "measure"]

_IDS = 1_000_000
_CONCURRENCY = 8
_US = 1e6


class Cost(msgspec.Struct, frozen=True):
    """What one fan-out took.

    Attributes:
        count: Values that it gave.
        per_id: Seconds of CPU time an id, without those of the same stub in a bare loop.
        grown: Bytes of memory at most, above those at the start.
    """

    count: int
    per_id: float
    grown: int


async def _at_once(id_: int) -> int:
    return id_


async def _in_a_turn(id_: int) -> int:
    await asyncio.sleep(0)
    return id_


def measure(ids: int) -> dict[str, Cost]:
    """Give the cost of each kind of fan-out over a generator of so many ids."""
    kinds = {
        f"{how}, {order}": (fetch, order == "ordered")
        for how, fetch in (("a stub that gives at once", _at_once), ("a stub that waits a turn", _in_a_turn))
        for order in ("unordered", "ordered")
    }
    plain = {kind: asyncio.run(_cost(ids, fetch, _generated(ids), ordered=o)) for kind, (fetch, o) in kinds.items()}
    last = asyncio.run(_cost(ids, _in_a_turn, _asynchronous(ids), ordered=False))
    return {**plain, "the same from an async generator": last}


def markdown(costs: dict[str, Cost]) -> str:
    """Give the costs as a table."""
    lines = [f"| {kind} | {cost.per_id * _US:.2f} | {cost.grown / 1e6:.1f} |" for kind, cost in costs.items()]
    return "\n".join(["| fan-out over | µs an id | memory above its start, MB |", "|---|--:|--:|", *lines])


async def _cost(
    ids: int, fetch: Callable[[int], Awaitable[int]], source: Iterator[int] | AsyncIterator[int], *, ordered: bool
) -> Cost:
    bare = await _bare(ids, fetch)
    owner, count = TaskOwner(), 0
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.process_time()
    async for _ in FanOut(Job(source, fetch, lambda: owner, _CONCURRENCY, ordered, "raise")):
        count += 1
    taken = time.process_time() - begun
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start
    return Cost(count, (taken - bare) / ids, grown * 1024)


async def _bare(ids: int, fetch: Callable[[int], Awaitable[int]]) -> float:
    source = iter(range(ids))

    async def work() -> None:
        for id_ in source:
            await fetch(id_)

    begun = time.process_time()
    await asyncio.gather(*(work() for _ in range(_CONCURRENCY)))
    return time.process_time() - begun


def _generated(ids: int) -> Iterator[int]:
    yield from range(ids)


async def _asynchronous(ids: int) -> AsyncIterator[int]:
    for id_ in range(ids):
        yield id_


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ids", description=__doc__)
    parser.add_argument("ids", nargs="?", type=int, default=_IDS)
    print(markdown(measure(parser.parse_args().ids)))
