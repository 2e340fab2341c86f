"""A bare aiohttp + msgspec loop: no retries, no limits, no checks, no errors of its own."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec

from aegis_async.models import DataCollection, DataCollectionSummary, Page
from benchmarks.works import Contender

__all__ = ["Bare", "connect", "session"]


class Bare:
    """The loop.

    Args:
        session: The HTTP client's.
        url: The base URL.
        page: The type of a page.
        full: The type of a collection.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        page: Any = Page[DataCollectionSummary],
        full: Any = DataCollection,
    ) -> None:
        self.session = session
        self.url = f"{url}/data-collections"
        self._page = msgspec.json.Decoder(page)
        self._full = msgspec.json.Decoder(full)

    async def walk(self, page_size: int, _pages: int) -> int:
        """Walk the listing as long as there is a next page."""
        items = 0
        async for page in self._pages(page_size):
            for _ in page:
                items += 1
        return items

    async def collect(self, page_size: int) -> list[object]:
        """Keep what the listing gives."""
        items: list[object] = []
        async for page in self._pages(page_size):
            items.extend(page)
        return items

    async def get(self, ids: Iterable[int]) -> int:
        """Get one after the other."""
        return await self.work(iter(ids))

    async def fan_out(self, ids: Iterable[int], concurrency: int) -> int:
        """Let workers share the ids."""
        source = iter(ids)
        return sum(await asyncio.gather(*(self.work(source) for _ in range(concurrency))))

    async def work(self, ids: Iterator[int]) -> int:
        """Get as long as there are ids."""
        evaluations = 0
        for id_ in ids:
            full = self._full.decode(await self.read(f"/{id_}"))
            evaluations += sum(len(run.evaluations) for run in full.runs)
        return evaluations

    async def read(self, target: str) -> bytes | bytearray:
        """Give the body of one target."""
        async with self.session.get(self.url + target) as answer:
            return await answer.read()

    async def _pages(self, page_size: int) -> AsyncIterator[Iterable[object]]:
        number: int | None = 1
        while number is not None:
            page = self._page.decode(await self.read(f"?page={number}&page_size={page_size}"))
            yield page.items
            number = page.meta.next_page


def session() -> aiohttp.ClientSession:
    """Give a session as anybody makes one, but for its pool: nobody's fan-out waits for a connection."""
    return aiohttp.ClientSession(
        headers={"Authorization": "Bearer sk_benchmark"}, connector=aiohttp.TCPConnector(limit=0)
    )


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[Contender]:
    """Give the bare loop for a base URL."""
    async with session() as opened:
        yield Bare(opened, url)
