"""A bare aiohttp + msgspec loop with this package's Structs: no retries, no limits, no checks, no errors of its own."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec

from aegis_async.models import DataCollection, DataCollectionSummary, Page
from benchmarks.works import Contender

__all__ = ["connect"]


class _Bare:
    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = f"{url}/data-collections"
        self._page = msgspec.json.Decoder(Page[DataCollectionSummary])
        self._full = msgspec.json.Decoder(DataCollection)

    async def list(self, page_size: int) -> int:
        items = 0
        page: int | None = 1
        while page is not None:
            answer = self._page.decode(await self._read(f"?page={page}&page_size={page_size}"))
            for _ in answer.items:
                items += 1
            page = answer.meta.next_page
        return items

    async def get(self, ids: Iterable[int]) -> int:
        return await self._work(iter(ids))

    async def fan_out(self, ids: Iterable[int], concurrency: int) -> int:

        source = iter(ids)
        return sum(await asyncio.gather(*(self._work(source) for _ in range(concurrency))))

    async def _work(self, ids: Iterator[int]) -> int:
        evaluations = 0
        for id_ in ids:
            full = self._full.decode(await self._read(f"/{id_}"))
            evaluations += sum(len(run.evaluations) for run in full.runs)
        return evaluations

    async def _read(self, target: str) -> bytes:
        async with self._session.get(self._url + target) as answer:
            return await answer.read()


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[Contender]:
    """Give the bare loop for a base URL."""
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer sk_benchmark"}) as session:
        yield _Bare(session, url)
