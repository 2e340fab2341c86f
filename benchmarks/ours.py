"""This package, with its default settings."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aegis_async import AegisClient
from benchmarks.works import Contender

__all__ = ["connect"]

_SLOTS = 128  # as many as the widest fan-out has in flight; the default of 16 would make a smaller one of it


class _Ours:
    def __init__(self, client: AegisClient, prefetch: int) -> None:
        self._collections = client.data_collections
        self._prefetch = prefetch

    async def walk(self, page_size: int, _pages: int) -> int:
        items = 0
        async for _ in self._collections.list(page_size=page_size, prefetch=self._prefetch):
            items += 1
        return items

    async def collect(self, page_size: int) -> list[object]:
        return [*await self._collections.list(page_size=page_size).collect()]

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
async def connect(url: str, *, prefetch: int = 0, **settings: Any) -> AsyncIterator[Contender]:
    """Give this package's client for a base URL, with ``settings`` of the client beside it."""
    async with AegisClient("sk_benchmark", base_url=url, max_concurrency=_SLOTS, **settings) as client:
        yield _Ours(client, prefetch)
