"""The floor: aiohttp and msgspec in a bare loop, with the SDK's Structs and none of its promises."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec

from aegis_async.models import DataCollection, DataCollectionSummary, Page

__all__ = ["opened"]


class Bare:
    """What anybody would write in ten lines."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = f"{url}/data-collections"
        self._page = msgspec.json.Decoder(Page[DataCollectionSummary])
        self._full = msgspec.json.Decoder(DataCollection)

    async def listing(self, page_size: int) -> int:
        """Read every page and count the items."""
        count = 0
        page: int | None = 1
        while page is not None:
            async with self._session.get(f"{self._url}?page={page}&page_size={page_size}") as response:
                answer = self._page.decode(await response.read())
            for _item in answer.items:
                count += 1
            page = answer.meta.next_page
        return count

    async def get(self, id_: int) -> int:
        """Read one collection and count its evaluations."""
        async with self._session.get(f"{self._url}/{id_}") as response:
            collection = self._full.decode(await response.read())
        return sum(len(run.evaluations) for run in collection.runs)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Bare]:
    """Give the contender with its connections open."""
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer sk_bench"}) as session:
        yield Bare(session, url)
