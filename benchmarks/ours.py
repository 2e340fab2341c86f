"""This package, with its default settings."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aegis_async import AegisClient
from benchmarks.works import Contender

__all__ = ["connect"]


class _Ours:
    def __init__(self, client: AegisClient) -> None:
        self._collections = client.data_collections

    async def list(self, page_size: int) -> int:
        items = 0
        async for _ in self._collections.list(page_size=page_size):
            items += 1
        return items

    async def get(self, ids: Iterable[int]) -> int:
        evaluations = 0
        for id_ in ids:
            full = await self._collections.get(id_)
            evaluations += sum(len(run.evaluations) for run in full.runs)
        return evaluations

    async def fan_out(self, ids: Iterable[int], concurrency: int) -> int:
        evaluations = 0
        async for full in self._collections.get_many(ids, concurrency=concurrency):
            evaluations += sum(len(run.evaluations) for run in full.runs)
        return evaluations


@asynccontextmanager
async def connect(url: str, **settings: Any) -> AsyncIterator[Contender]:
    """Give this package's client for a base URL, with ``settings`` of the client beside it."""
    async with AegisClient("sk_benchmark", base_url=url, **settings) as client:
        yield _Ours(client)
