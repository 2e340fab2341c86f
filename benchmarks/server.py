"""The fixture server: answers keep-alive GETs with prepared bytes, faster than any client reads them.

``python -m benchmarks.server ITEMS SMALL BIG IDS LAPS`` prints its base URL and ends when its standard input does.
"""

import asyncio
import sys
from collections.abc import Mapping
from functools import cache
from typing import Final, cast

from benchmarks.bodies import PREFIX, bodies
from benchmarks.works import Scale

__all__ = ["Answers", "answer", "serve", "serve_bodies"]

_END_OF_HEAD: Final = b"\r\n\r\n"
_NOT_FOUND: Final = b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


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
            target = head.split(b" ", 2)[1]
            self._transport.write(self._prepared.get(target, _NOT_FOUND))


async def serve(scale: Scale) -> None:
    """Serve on a free loopback port until standard input ends."""
    await serve_bodies(bodies(scale))


async def serve_bodies(found: Mapping[str, bytes]) -> None:
    """Serve the body of each target on a free loopback port until standard input ends."""
    prepare = cache(answer)  # many targets have one body
    prepared = {target.encode(): prepare(body) for target, body in found.items()}
    server = await asyncio.get_running_loop().create_server(lambda: Answers(prepared), "127.0.0.1", 0)
    async with server:
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{PREFIX}", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        server.close()


def answer(body: bytes) -> bytes:
    """Give the whole answer that has ``body``."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


if __name__ == "__main__":
    asyncio.run(serve(Scale(*map(int, sys.argv[1:]))))
