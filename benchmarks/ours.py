"""The SDK as its users call it, with default settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aegis_async import AegisClient

__all__ = ["opened"]


class Ours:
    """The same works through the client."""

    def __init__(self, client: AegisClient) -> None:
        self._collections = client.data_collections

    async def listing(self, page_size: int) -> int:
        """Read every page and count the items."""
        count = 0
        async for _item in self._collections.list(page_size=page_size):
            count += 1
        return count

    async def get(self, id_: int) -> int:
        """Read one collection and count its evaluations."""
        collection = await self._collections.get(id_)
        return sum(len(run.evaluations) for run in collection.runs)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Ours]:
    """Give the contender with its client open."""
    async with AegisClient("sk_bench_0000000000000000", base_url=url) as client:
        yield Ours(client)
