"""A server whose answers are held until they are let go, so that a test decides what is on the wire."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from tests.decode.documents import collection

__all__ = ["Held", "held"]


class Held:
    """Answers ``GET …/ID`` with that collection, when it is let go.

    Attributes:
        paths: What was asked for, in order.
        status: Of the answers; another than 200 has a body without a collection.
    """

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.status = "200 OK"
        self.port = 0
        self._came = asyncio.Condition()
        self._gates: list[asyncio.Event] = []

    @property
    def url(self) -> str:
        """The base URL of this server."""
        return f"http://127.0.0.1:{self.port}"

    async def came(self, count: int) -> None:
        """Wait until so many requests have come."""
        async with asyncio.timeout(5), self._came:
            await self._came.wait_for(lambda: len(self.paths) >= count)

    def let_go(self, *numbers: int) -> None:
        """Let the answers to the requests of those numbers go, from 0; without a number, all that have come."""
        for number in numbers or range(len(self._gates)):
            self._gates[number].set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                await self._answer(head.split()[1], writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client went away, as some tests have it do
        finally:
            writer.close()

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        gate = asyncio.Event()
        async with self._came:
            self.paths.append(path)
            self._gates.append(gate)
            self._came.notify_all()
        await gate.wait()
        document: dict[str, Any] = {"detail": "not today"}
        if self.status.startswith("200"):
            document = collection() | {"id": int(path.rpartition("/")[2])}
        body = msgspec.json.encode(document)
        writer.write(f"HTTP/1.1 {self.status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()


@asynccontextmanager
async def held() -> AsyncIterator[Held]:
    """Serve on a loopback port; at the end every answer is let go."""
    served = Held()
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(served.handle(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
