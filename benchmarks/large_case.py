"""One large body in a process of its own: ``python -m benchmarks.large_case CASE URL`` prints its figures."""

import asyncio
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from aegis_async import AegisClient
from aegis_async._decode import BodyDecoder
from aegis_async.models import DataCollection
from benchmarks.probe import probed

__all__ = ["CASES", "ID", "PAGE_SIZE", "Figures"]

ID: Final = 14
PAGE_SIZE: Final = 10_000
_NO_LIMIT: Final = 1 << 40


class Figures(msgspec.Struct, frozen=True):
    """What one case took.

    Attributes:
        count: Evaluations or items.
        size: Bytes of the body.
        seconds: From the request to the last value.
        turn: The longest turn of the loop, in seconds, without the collector.
        collector: The collector's longest pause, in seconds.
        peak: Bytes of memory at most, above those at the start.
    """

    count: int
    size: int
    seconds: float
    turn: float
    collector: float
    peak: int


async def _get(client: AegisClient) -> tuple[int, int, object]:
    full = await client.data_collections.get(ID)
    return sum(len(run.evaluations) for run in full.runs), 0, full


async def _stream(client: AegisClient) -> tuple[int, int, object]:
    evaluations = 0
    async with client.data_collections.stream(ID) as stream:
        async for run in stream.runs():
            evaluations += len(run.evaluations)
        return evaluations, stream.size, None


async def _page(client: AegisClient) -> tuple[int, int, object]:
    page = await anext(client.data_collections.list(page_size=PAGE_SIZE).pages())
    return len(page.items), 0, page


async def _at_once(client: AegisClient) -> tuple[int, int, object]:
    body = await client.fetch(f"/data-collections/{ID}", bytes)
    full = BodyDecoder(DataCollection)(body)
    return sum(len(run.evaluations) for run in full.runs), len(body), full


CASES: Final[Mapping[str, Callable[[AegisClient], Awaitable[tuple[int, int, object]]]]] = MappingProxyType(
    {
        "`stream`, every run": _stream,
        "`get`": _get,
        "the same, decoded at once": _at_once,
        "a page of 10,000 summaries": _page,
    }
)


async def _measured(case: str, url: str) -> Figures:
    async with AegisClient("sk_benchmark", base_url=url, max_body_size=_NO_LIMIT) as client:
        start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with probed() as longest:
            begun = time.perf_counter()
            count, size, kept = await CASES[case](client)
            seconds = time.perf_counter() - begun
            await asyncio.sleep(0)  # so that the last turn is over, and counted
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start
        turn, collector = longest.turn, longest.collector
        del kept  # to let go of it is the caller's, and takes its time
        return Figures(count, size or await _size(client, case), seconds, turn, collector, peak * 1024)


async def _size(client: AegisClient, case: str) -> int:
    paged = {"page": 1, "page_size": PAGE_SIZE} if CASES[case] is _page else None
    path = "/data-collections" if paged else f"/data-collections/{ID}"
    return len(await client.fetch(path, bytes, paged))


if __name__ == "__main__":
    print(msgspec.json.encode(asyncio.run(_measured(*sys.argv[1:]))).decode(), flush=True)
