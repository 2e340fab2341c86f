"""A server that takes a while: each answer is one prepared collection, some milliseconds after its request.

``python -m benchmarks.slow_server SIZE LATENCY`` prints its base URL and ends when its standard input does.
"""

import asyncio
import sys

from benchmarks.bodies import PREFIX, grown_to
from benchmarks.server import Answers, answer, serve_answers

__all__: list[str] = []


class _Slow(Answers):
    """One connection whose answers wait.

    Args:
        prepared: The whole answer, to every request.
        latency: Seconds before it.
    """

    def __init__(self, prepared: bytes, latency: float) -> None:
        super().__init__({})
        self._answer = prepared
        self._latency = latency

    def found(self, _target: bytes) -> bytes:
        """Give the one answer."""
        return self._answer

    def write(self, whole: bytes) -> None:
        """Send it, later."""
        asyncio.get_running_loop().call_later(self._latency, self._transport.write, whole)


if __name__ == "__main__":
    whole = answer(grown_to(int(sys.argv[1])))
    asyncio.run(serve_answers(lambda: _Slow(whole, float(sys.argv[2])), PREFIX))
