"""A server that takes a while: each answer is one prepared collection, some milliseconds after its request.

``python -m benchmarks.slow_server SIZE LATENCY`` prints its base URL and ends when its standard input does;
each line of that it answers with the number of requests so far.
"""

import asyncio
import sys
from typing import Final

from benchmarks.bodies import PREFIX, grown_to
from benchmarks.server import Answers, answer

__all__: list[str] = []

_END_OF_HEAD: Final = b"\r\n\r\n"


class _Slow(Answers):
    """One connection whose answers wait.

    Args:
        prepared: The whole answer, to every request.
        latency: Seconds before it.
        arrived: Takes up the instant of each request.
    """

    def __init__(self, prepared: bytes, latency: float, arrived: list[float]) -> None:
        super().__init__({})
        self._arrived = arrived
        self._answer = prepared
        self._latency = latency

    def data_received(self, data: bytes) -> None:
        """Answer every request whose head is complete, later."""
        loop = asyncio.get_running_loop()
        *heads, self._received = (self._received + data).split(_END_OF_HEAD)
        for _ in heads:
            self._arrived.append(loop.time())
            loop.call_later(self._latency, self._transport.write, self._answer)


async def _serve(size: int, latency: float) -> None:
    prepared = answer(grown_to(size))
    arrived: list[float] = []
    server = await asyncio.get_running_loop().create_server(lambda: _Slow(prepared, latency, arrived), "127.0.0.1", 0)
    async with server:
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{PREFIX}", flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(len(arrived), flush=True)
        server.close()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
