"""A server that answers with exactly the bytes it is told to, and a client that asks it once."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from aegis_async import AegisClient, RetryPolicy

HANG_UP: Final = b""
KEY: Final = "sk_0123456789abcdef0123456789abcdef"
_PATIENCE: Final = 5.0
_TURNS: Final = 5
_ABORT_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER of no seconds: closing sends a reset


@dataclass(frozen=True)
class Reset:
    """Ends the connection with a reset instead of a farewell."""


@dataclass(frozen=True)
class Drip:
    """Sends ``piece`` again and again, for ever, with ``every`` seconds between."""

    piece: bytes
    every: float


@dataclass(frozen=True)
class Endless:
    """Sends ``piece`` again and again, for ever, as fast as it is taken."""

    piece: bytes


RESET: Final = Reset()
Step: TypeAlias = bytes | Reset | Drip | Endless | None
Answer: TypeAlias = Step | tuple[Step, ...]
"""What one request gets: bytes, ``HANG_UP`` or ``RESET`` (the end), None (silence), or several of these in turn."""


def once(url: str, **options: Any) -> AegisClient:
    """Give a client that makes one attempt."""
    return AegisClient(KEY, base_url=url, retry=RetryPolicy(max_attempts=1), **options)


def http(body: bytes = b"{}", status: str = "200 OK", **headers: str) -> bytes:
    """Give one whole HTTP answer; underscores in header names become dashes."""
    return head(status, Content_Length=str(len(body)), **headers) + body


def head(status: str = "200 OK", **headers: str) -> bytes:
    """Give the head of an answer, with these headers and no others."""
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def chunks(*pieces: bytes) -> bytes:
    """Give ``pieces`` as chunks, without the last one that ends a body."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


class Wire:
    """The scripted answers, in turn, the last one for ever; and the heads of the requests that came."""

    def __init__(self, answers: tuple[Answer, ...], greeting: bytes = b"") -> None:
        self._answers = list(answers)
        self._greeting = greeting
        self.heads: list[str] = []
        self.connections = 0
        self.open = 0
        self.options: dict[str, Any] = {}  # what a client needs to reach it
        self.scheme, self.host, self.port = "http", "127.0.0.1", 0

    @property
    def url(self) -> str:
        """The base URL of this server."""
        return f"{self.scheme}://{self.host}:{self.port}/api"

    def then(self, answer: Answer) -> None:
        """Have ``answer`` for ever after the script as it is."""
        self._answers.append(answer)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests on one connection until it is told to end it, or the client has."""
        self.connections += 1
        self.open += 1
        try:
            writer.write(self._greeting)
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heads.append(head.decode())
                if not await self._answer(reader, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass  # the client went away, as some tests have it do
        finally:
            await ended(writer)
            self.open -= 1

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        for step in answer if isinstance(answer, tuple) else (answer,):
            if not await _do(step, reader, writer):
                return False
        return True


async def ended(writer: asyncio.StreamWriter) -> None:
    """End a connection, and take how it ended: of what nobody takes, the loop complains where there is no lock."""
    writer.close()
    with suppress(ConnectionError, ssl.SSLError):
        await writer.wait_closed()


async def _do(step: Step, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Do one step, and tell whether the connection goes on."""
    match step:
        case None:
            await reader.read()
        case bytes() if step:
            writer.write(step)
            await writer.drain()
            return True
        case Reset():
            _reset(writer)
        case Endless(piece):
            while True:
                writer.write(piece)
                await writer.drain()
        case Drip(piece, every):
            while not await _gone_within(every, reader):
                writer.write(piece)
    return False


async def _gone_within(seconds: float, reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return not await reader.read(1)
    except TimeoutError:
        return False


def _reset(writer: asyncio.StreamWriter) -> None:
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT_ON_CLOSE)
    writer.transport.abort()


@asynccontextmanager
async def wire(*answers: Answer, tls: ssl.SSLContext | None = None, greeting: bytes = b"") -> AsyncIterator[Wire]:
    """Serve ``answers`` on a loopback port."""
    served = Wire(answers, greeting)
    server = await asyncio.start_server(served.handle, "127.0.0.1", 0, ssl=tls)
    served.port = server.sockets[0].getsockname()[1]
    served.scheme = "https" if tls else "http"
    try:
        yield served
    finally:
        for _ in range(_TURNS):  # of the loop, until each connection that was accepted has its handler
            await asyncio.sleep(0)
        server.close()
        async with asyncio.timeout(_PATIENCE):  # a client that keeps a connection fails the test
            while served.open:
                await asyncio.sleep(0)


@asynccontextmanager
async def tunnel(port: int) -> AsyncIterator[Wire]:
    """Serve as a proxy that opens a tunnel to that port of loopback, wherever it is asked to."""
    served = Wire((None,))

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        there, back = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head("200 OK"))
        await asyncio.gather(_pipe(reader, back), _pipe(there, writer))

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        for _ in range(_TURNS):
            await asyncio.sleep(0)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()
