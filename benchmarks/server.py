"""The fixture server: answers keep-alive GETs with prepared bytes, faster than any client reads them.

``python -m benchmarks.server SCALE`` prints its base URLs by service as JSON, and ends when its standard input does.
"""

import asyncio
import gzip
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import cache
from importlib import import_module
from typing import Final, cast

import msgspec

from benchmarks.bodies import PREFIX, big_bodies, bodies
from benchmarks.works import LATENCY, Scale, Service

__all__ = ["Answers", "answer", "serve", "serve_answers", "serve_bodies"]

_END_OF_HEAD: Final = b"\r\n\r\n"
_NOT_FOUND: Final = b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_LEVEL: Final = 6  # what web servers compress with


class Answers(asyncio.Protocol):
    """One connection.

    Args:
        prepared: The whole answer, head and body, of each request target.
    """

    def __init__(self, prepared: Mapping[bytes, bytes]) -> None:
        self._prepared = prepared
        self._received = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request whose head is complete; a GET has no body."""
        *heads, self._received = (self._received + data).split(_END_OF_HEAD)
        for head in heads:
            self.write(self.found(head.split(b" ", 2)[1]))

    def found(self, target: bytes) -> bytes:
        """Give the whole answer for a target."""
        return self._prepared.get(target, _NOT_FOUND)

    def write(self, whole: bytes) -> None:
        """Send one answer."""
        self._transport.write(whole)


class _Late(Answers):
    """One connection whose answers wait."""

    def write(self, whole: bytes) -> None:
        """Send one answer, later."""
        asyncio.get_running_loop().call_later(LATENCY, self._transport.write, whole)


async def serve(scale: Scale) -> None:
    """Serve every service, each on a free loopback port, until standard input ends."""
    big = big_bodies(scale)
    plain = _prepared({**bodies(scale), **big}, answer)
    zipped = _prepared(big, lambda body: answer(gzip.compress(body, _LEVEL), "gzip"))
    smaller = _prepared(big, lambda body: answer(_zstd()(body), "zstd"))
    services: dict[Service, Callable[[], Answers]] = {
        "plain": lambda: Answers(plain),
        "late": lambda: _Late(plain),
        "gzip": lambda: Answers(zipped),
        "zstd": lambda: Answers(smaller),
    }
    async with AsyncExitStack() as stack:
        urls = {name: await _listening(stack, service, PREFIX) for name, service in services.items()}
        print(msgspec.json.encode(urls).decode(), flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def serve_bodies(found: Mapping[str, bytes]) -> None:
    """Serve the body of each target on a free loopback port until standard input ends."""
    prepared = _prepared(found, answer)
    await serve_answers(lambda: Answers(prepared), PREFIX)


async def serve_answers(connected: Callable[[], Answers], prefix: str = "") -> None:
    """Serve what ``connected`` answers on a free loopback port until standard input ends."""
    async with AsyncExitStack() as stack:
        print(await _listening(stack, connected, prefix), flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def _listening(stack: AsyncExitStack, connected: Callable[[], Answers], prefix: str) -> str:
    server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0)
    await stack.enter_async_context(server)
    stack.callback(server.close)
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{prefix}"


def _prepared(found: Mapping[str, bytes], make: Callable[[bytes], bytes]) -> Mapping[bytes, bytes]:
    once = cache(make)  # many targets have one body
    return {target.encode(): once(body) for target, body in found.items()}


def _zstd() -> Callable[[bytes], bytes]:
    found = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    compress: Callable[[bytes], bytes] = found.compress
    return compress


def answer(body: bytes, coding: str = "") -> bytes:
    """Give the whole answer that has ``body``."""
    said = f"Content-Encoding: {coding}\r\n" if coding else ""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{said}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


if __name__ == "__main__":
    asyncio.run(serve(msgspec.json.decode(sys.argv[1], type=Scale)))
