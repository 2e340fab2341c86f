"""A server that answers with exactly the bytes it is told to, and a client that asks it once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from aegis_async import AegisClient, RetryPolicy

HANG_UP: Final = b""
KEY: Final = "sk_0123456789abcdef0123456789abcdef"


def once(url: str, **options: Any) -> AegisClient:
    """Give a client that makes one attempt."""
    return AegisClient(KEY, base_url=url, retry=RetryPolicy(max_attempts=1), **options)


def http(body: bytes = b"{}", status: str = "200 OK", **headers: str) -> bytes:
    """Give one whole HTTP answer; underscores in header names become dashes."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Wire:
    """The scripted answers, in turn, the last one for ever; and the heads of the requests that came."""

    def __init__(self, answers: tuple[bytes | None, ...]) -> None:
        self._answers = list(answers)
        self.heads: list[str] = []
        self.port = 0

    @property
    def url(self) -> str:
        """The base URL of this server."""
        return f"http://127.0.0.1:{self.port}/api"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests on one connection until it is told to hang up (``b""``) or to fall silent (None)."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heads.append(head.decode())
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                if answer is None:
                    await reader.read()
                    break
                if answer == HANG_UP:
                    break
                writer.write(answer)
                await writer.drain()
                if b"Connection: close" in answer:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client went away, as some tests have it do
        finally:
            writer.close()


@asynccontextmanager
async def wire(*answers: bytes | None) -> AsyncIterator[Wire]:
    """Serve ``answers`` on a loopback port."""
    served = Wire(answers)
    server = await asyncio.start_server(served.handle, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        await asyncio.sleep(0)
