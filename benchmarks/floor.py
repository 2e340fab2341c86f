"""What reading alone costs: raw sockets that look for the end of a body and at nothing in it."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from benchmarks.works import Contender

__all__ = ["connect"]


class _Floor:
    """Connections that are opened as they are needed; it counts answers, for it does not know what is in them."""

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        self._address = (str(where.hostname), where.port or 80)
        self._head = f"GET {where.path}/data-collections%s HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n"
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def walk(self, page_size: int, pages: int) -> int:
        return await self._read_all(f"?page={page}&page_size={page_size}" for page in range(1, pages + 1))

    async def get(self, ids: Iterable[int]) -> int:
        return await self._read_all(f"/{id_}" for id_ in ids)

    async def fan_out(self, ids: Iterable[int], concurrency: int) -> int:
        targets = (f"/{id_}" for id_ in ids)
        return sum(await asyncio.gather(*(self._read_all(targets) for _ in range(concurrency))))

    async def _read_all(self, targets: Iterator[str]) -> int:
        connection = self._free.pop() if self._free else await asyncio.open_connection(*self._address, limit=1 << 20)
        reader, writer = connection
        answers = 0
        for target in targets:
            writer.write((self._head % target).encode())
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head[head.rindex(b":") + 1 :]))
            answers += 1
        self._free.append(connection)
        return answers

    async def aclose(self) -> None:
        for _, writer in self._free:
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[Contender]:
    """Give the reader for a base URL."""
    floor = _Floor(url)
    yield floor
    await floor.aclose()
