"""A server of prepared bytes, in a process of its own: it writes faster than any client reads."""

import asyncio
import os
import sys

from benchmarks.documents import bodies

__all__ = ["pin"]

_HEAD_END = b"\r\n\r\n"
_MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class _Connection(asyncio.Protocol):
    """Answers each GET of one kept connection with its prepared bytes."""

    def __init__(self, answers: dict[bytes, bytes]) -> None:
        self._answers = answers
        self._pending = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - tells the type checker what TCP gives
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *heads, self._pending = (self._pending + data).split(_HEAD_END)
        for head in heads:
            self._transport.write(self._answers.get(head.split(b" ", 2)[1], _MISSING))


def pin(core: int) -> None:
    """Keep this process on one of the cores it may use, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[core % len(cores)]})


def _answer(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def _serve() -> None:
    answers = {path.encode(): _answer(body) for path, body in bodies().items()}
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(answers), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)  # whoever started it closes the pipe at the end
    server.close()


if __name__ == "__main__":
    pin(1)
    asyncio.run(_serve())
