"""One large body in a process of its own: ``python -m benchmarks.large_case NUMBER URL`` prints its figures."""

import asyncio
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

import msgspec

from aegis_async import AegisClient
from aegis_async._decode import BodyDecoder
from aegis_async._resources.data_collections import stream_body
from aegis_async.models import DataCollection
from benchmarks.probe import probed

__all__ = ["AUTO", "CASES", "COPIES", "LARGE", "LISTING", "MEDIUM", "PAGE_SIZE", "ROWS", "SMALL", "Figures"]

PAGE_SIZE: Final = 10_000
PATH: Final = "/data-collections"
LARGE, MEDIUM, SMALL = f"{PATH}/1", f"{PATH}/2", f"{PATH}/3"
COPIES: Final = range(101, 117)
"""Ids of collections as large as the small one."""
ROWS: Final = "/evaluations"
LISTING: Final = f"{PATH}?page=1&page_size={PAGE_SIZE}"
AUTO: Final = f"{PATH}?page=1&page_size=25"
_NO_LIMIT: Final = 1 << 40


class Figures(msgspec.Struct, frozen=True):
    """What one case took.

    Attributes:
        count: Evaluations, items or bytes.
        size: Bytes of the body, of the first one where there are several.
        seconds: From the request to the last value.
        turn: The longest turn of the loop, in seconds, without the collector.
        collector: The collector's longest pause, in seconds.
        freed: Seconds that it took the caller to let go of the value.
        peak: Bytes of memory at most, above those at the start.
    """

    count: int
    size: int
    seconds: float
    turn: float
    collector: float
    freed: float
    peak: int


class Row(msgspec.Struct):
    """An evaluation as a caller may want it."""

    id: int
    result: float | None
    explanation: str | None


class Job(msgspec.Struct):
    """A run as a caller may want it."""

    id: int
    evaluations: list[Row]


class Bundle(msgspec.Struct):
    """A collection as a caller may want it."""

    id: int
    runs: list[Job]


Got: TypeAlias = tuple[int, object]
"""How many came, and what of it the caller still has."""


async def _get(client: AegisClient, target: str) -> Got:
    full = await client.data_collections.get(_id(target))
    return _evaluations(full), full


async def _stream(client: AegisClient, target: str) -> Got:
    count = 0
    async with client.data_collections.stream(_id(target)) as stream:
        async for run in stream.runs():
            count += len(run.evaluations)
    return count, None


async def _slices(client: AegisClient, target: str) -> Got:
    count = 0
    async with stream_body(client.data_collections, _id(target)) as stream:
        async for part in stream.slices():
            count += sum(len(run.evaluations) for run in part.elements)
    return count, None


async def _many(client: AegisClient, _target: str) -> Got:
    count = 0
    async for full in client.data_collections.get_many(COPIES, concurrency=4):
        count += _evaluations(full)
    return count, None


async def _own_struct(client: AegisClient, target: str) -> Got:
    bundle = await client.fetch(target, Bundle)
    return sum(len(job.evaluations) for job in bundle.runs), bundle


async def _own_list(client: AegisClient, target: str) -> Got:
    rows = await client.fetch(target, list[Row])
    return len(rows), rows


async def _own_dict(client: AegisClient, target: str) -> Got:
    found = await client.fetch(target, dict)
    return sum(len(run["evaluations"]) for run in found["runs"]), found


async def _bytes(client: AegisClient, target: str) -> Got:
    body = await client.fetch(target, bytes)
    return len(body), body


async def _page(client: AegisClient, _target: str) -> Got:
    items = await client.data_collections.list(page_size=PAGE_SIZE).collect()
    return len(items), items


async def _auto(client: AegisClient, _target: str) -> Got:
    items = await client.data_collections.list(page_size="auto").collect()
    return len(items), items


async def _at_once(client: AegisClient, target: str) -> Got:
    full = BodyDecoder(DataCollection)(await client.fetch(target, bytes))
    return _evaluations(full), full


class Case(NamedTuple):
    """One way to read a body.

    Attributes:
        work: What is done, for the table.
        target: What the body is of.
        read: Does it.
    """

    work: str
    target: str
    read: Callable[[AegisClient, str], Awaitable[Got]]


CASES: Final[Sequence[Case]] = (
    Case("`get`", SMALL, _get),
    Case("`get`", MEDIUM, _get),
    Case("`get`", LARGE, _get),
    Case("`stream`, every run", LARGE, _stream),
    Case("as the export streams, every slice", LARGE, _slices),
    Case(f"`get_many`, {len(COPIES)} of these, 4 in flight", SMALL, _many),
    Case("`fetch` of a Struct of the caller's", LARGE, _own_struct),
    Case("`fetch` of a `dict`", LARGE, _own_dict),
    Case("`fetch` of `bytes`", LARGE, _bytes),
    Case("`fetch` of a list of the caller's Structs", ROWS, _own_list),
    Case("`list(page_size=10000)`", LISTING, _page),
    Case('`list(page_size="auto")`', AUTO, _auto),
    Case("without cutting: decoded at once", LARGE, _at_once),
)


async def _measured(case: Case, url: str) -> Figures:
    async with AegisClient("sk_benchmark", base_url=url, max_body_size=_NO_LIMIT) as client:
        start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with probed() as longest:
            begun = time.perf_counter()
            count, kept = await case.read(client, case.target)
            seconds = time.perf_counter() - begun
            await asyncio.sleep(0)  # so that the last turn is over, and counted
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start
        turn, collector = longest.turn, longest.collector
        begun = time.thread_time()
        del kept
        freed = time.thread_time() - begun
        path, _, query = case.target.partition("?")
        size = len(await client.fetch(path, bytes, dict(pair.split("=") for pair in query.split("&") if pair)))
        return Figures(count, size, seconds, turn, collector, freed, peak * 1024)


def _id(target: str) -> int:
    return int(target.rpartition("/")[2])


def _evaluations(full: DataCollection) -> int:
    return sum(len(run.evaluations) for run in full.runs)


if __name__ == "__main__":
    print(msgspec.json.encode(asyncio.run(_measured(CASES[int(sys.argv[1])], sys.argv[2]))).decode(), flush=True)
