"""What a fan-out costs beside its requests: a million ids against stubs; ``python -m benchmarks.ids [IDS]``."""

import argparse
import asyncio
import resource
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import msgspec
from multidict import CIMultiDict

from aegis_async import AegisClient
from aegis_async._fanout import FanOut, Job
from aegis_async._session._request import RawResponse
from aegis_async._tasks import TaskOwner
from aegis_async.models import DataCollection
from aegis_async.sandbox import Sandbox
from benchmarks.bodies import fetched

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
    """Give the cost of each kind of fan-out over a generator of so many ids, that of a whole client too."""
    kinds = {
        f"{how}, {order}": (fetch, order == "ordered")
        for how, fetch in (("a stub that gives at once", _at_once), ("a stub that waits a turn", _in_a_turn))
        for order in ("unordered", "ordered")
    }
    plain = {kind: asyncio.run(_cost(ids, fetch, _generated(ids), ordered=o)) for kind, (fetch, o) in kinds.items()}
    last = asyncio.run(_cost(ids, _in_a_turn, _asynchronous(ids), ordered=False))
    whole = asyncio.run(_cost_of_client(ids))
    return {**plain, "the same from an async generator": last, "`get_many` of a client with a stub transport": whole}


def markdown(costs: dict[str, Cost]) -> str:
    """Give the costs as a table."""
    lines = [f"| {kind} | {cost.per_id * _US:.2f} | {cost.grown / 1e6:.1f} |" for kind, cost in costs.items()]
    return "\n".join(["| fan-out over | µs an id | memory above its start, MB |", "|---|--:|--:|", *lines])


async def _cost(
    ids: int, fetch: Callable[[int], Awaitable[int]], source: Iterator[int] | AsyncIterator[int], *, ordered: bool
) -> Cost:
    bare, owner = await _bare(ids, fetch), TaskOwner()
    return await _walked(ids, FanOut(Job(source, fetch, lambda: owner, _CONCURRENCY, ordered, "raise")), bare)


async def _cost_of_client(ids: int) -> Cost:
    async with AegisClient("sk_benchmark", base_url="http://127.0.0.1:1") as client:
        api = client.data_collections._api  # noqa: SLF001 - the same request without the fan-out
        transport: Any = client._session._attempts._transport  # noqa: SLF001 - it takes a server's place
        answer = RawResponse(200, _small(), CIMultiDict())

        async def send(*_: object) -> RawResponse:
            await asyncio.sleep(0)
            return answer

        async def get(id_: int) -> object:
            return await api.fetch(f"/data-collections/{id_}", DataCollection, bulk=True)

        transport.send = send
        bare = await _bare(ids, get)
        return await _walked(ids, client.data_collections.get_many(_generated(ids), concurrency=_CONCURRENCY), bare)


async def _walked(ids: int, values: AsyncIterable[object], bare: float) -> Cost:
    count, start = 0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.process_time()
    async for _ in values:
        count += 1
    taken = time.process_time() - begun
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start
    return Cost(count, (taken - bare) / ids, grown * 1024)


def _small() -> bytes:
    with Sandbox(collections=14) as sandbox:
        return fetched(sandbox, "data-collections/14")  # the example of the page: 1.9 KB


async def _bare(ids: int, fetch: Callable[[int], Awaitable[object]]) -> float:
    source = iter(range(1, ids + 1))

    async def work() -> None:
        for id_ in source:
            await fetch(id_)

    begun = time.process_time()
    await asyncio.gather(*(work() for _ in range(_CONCURRENCY)))
    return time.process_time() - begun


def _generated(ids: int) -> Iterator[int]:
    yield from range(1, ids + 1)


async def _asynchronous(ids: int) -> AsyncIterator[int]:
    for id_ in range(1, ids + 1):
        yield id_


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ids", description=__doc__)
    parser.add_argument("ids", nargs="?", type=int, default=_IDS)
    print(markdown(measure(parser.parse_args().ids)))
