"""The bare loop with one thing changed, to see what that thing is worth."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Final

import aiohttp
import tenacity
from aiohttp import set_zlib_backend
from yarl import URL

from aegis_async.models import DataCollection, DataCollectionSummary, Page
from benchmarks.bare import Bare, session
from benchmarks.translated import default_struct, translated
from benchmarks.works import Contender

__all__ = ["connect"]


class _Retried(Bare):
    """Every attempt passes through the retry machinery, the first one too."""

    async def read(self, target: str) -> bytes | bytearray:
        async for attempt in tenacity.AsyncRetrying(stop=tenacity.stop_after_attempt(4), reraise=True):
            with attempt:
                return await super().read(target)
        raise AssertionError("it raises after the last attempt")


class _Quoted(Bare):
    """URLs are taken as they are, for they were quoted when they were built."""

    async def read(self, target: str) -> bytes | bytearray:
        async with self.session.get(URL(self.url + target, encoded=True)) as answer:
            return await answer.read()


class _Chunked(Bare):
    """Chunks go into one buffer as they come, as they must where a body may be too large."""

    async def read(self, target: str) -> bytes | bytearray:
        async with self.session.get(self.url + target) as answer:
            body = bytearray()
            while chunk := await answer.content.readany():
                body += chunk
            return body


class _TaskPerId(Bare):
    """A task for every id, behind a semaphore."""

    async def fan_out(self, ids: Iterable[int], concurrency: int) -> int:
        free = asyncio.Semaphore(concurrency)

        async def one(id_: int) -> int:
            async with free:
                return await self.work(iter((id_,)))

        return sum(await asyncio.gather(*map(one, ids)))


def _default(opened: aiohttp.ClientSession, url: str) -> Bare:
    shapes = (translated(shape, default_struct) for shape in (Page[DataCollectionSummary], DataCollection))
    return Bare(opened, url, *shapes)


def _inflating(opened: aiohttp.ClientSession, url: str) -> Bare:
    from isal import isal_zlib  # noqa: PLC0415 - an extra

    set_zlib_backend(isal_zlib)
    return Bare(opened, url)


_CHANGES: Final[Mapping[str, Callable[[aiohttp.ClientSession, str], Bare]]] = MappingProxyType(
    {
        "default Structs": _default,
        "tenacity": _Retried,
        "quoted URLs": _Quoted,
        "chunks": _Chunked,
        "tasks": _TaskPerId,
        "isal": _inflating,
    }
)


@asynccontextmanager
async def connect(url: str, change: str) -> AsyncIterator[Contender]:
    """Give the bare loop with one change."""
    async with session() as opened:
        yield _CHANGES[change](opened, url)
