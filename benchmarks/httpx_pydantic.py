"""httpx and pydantic, as most clients of such services are written."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx

from aegis_async.models import DataCollection, DataCollectionSummary, Page
from benchmarks.pydantic_models import pydantic_model
from benchmarks.translated import translated
from benchmarks.works import Contender

__all__ = ["connect"]

_PAGE: Final[Any] = translated(Page[DataCollectionSummary], pydantic_model())
_FULL: Final[Any] = translated(DataCollection, pydantic_model())


class _Httpx:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def walk(self, page_size: int, _pages: int) -> int:
        items = 0
        async for page in self._pages(page_size):
            for _ in page:
                items += 1
        return items

    async def collect(self, page_size: int) -> list[object]:
        items: list[object] = []
        async for page in self._pages(page_size):
            items.extend(page)
        return items

    async def get(self, ids: Iterable[int]) -> int:
        return await self._work(iter(ids))

    async def fan_out(self, ids: Iterable[int], concurrency: int) -> int:
        source = iter(ids)
        return sum(await asyncio.gather(*(self._work(source) for _ in range(concurrency))))

    async def _work(self, ids: Iterator[int]) -> int:
        evaluations = 0
        for id_ in ids:
            answer = await self._client.get(f"/data-collections/{id_}")
            full = _FULL.model_validate_json(answer.content)
            evaluations += sum(len(run.evaluations) for run in full.runs)
        return evaluations

    async def _pages(self, page_size: int) -> AsyncIterator[Iterable[object]]:
        number: int | None = 1
        while number is not None:
            asked = {"page": number, "page_size": page_size}
            page = _PAGE.model_validate_json((await self._client.get("/data-collections", params=asked)).content)
            yield page.items
            number = page.meta.next_page


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[Contender]:
    """Give httpx for a base URL, with a pool as large as anybody needs."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(
        base_url=url, headers={"Authorization": "Bearer sk_benchmark"}, limits=limits
    ) as client:
        yield _Httpx(client)
