"""Server-sent events: every tab hears of news at once, and of the state now and then."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

import msgspec

from aegis_async.dashboard._source import Source

__all__ = ["Streams"]

_MOST: Final = 1_000  # streams at a time; a tab that gets none asks for the state now and then
_HEARTBEAT: Final = 15.0  # seconds; proxies cut a connection that is silent for a minute
_AGAIN: Final = b"retry: 2000\n\n"  # milliseconds until a browser that was cut off asks again


class Streams:
    """The open streams over one source.

    Args:
        source: Whose state the events tell.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._open = 0

    @property
    def has_room(self) -> bool:
        """Whether another stream may be opened."""
        return self._open < _MOST

    async def stream(self) -> AsyncIterator[bytes]:
        """Give the state now, after each piece of news, and every 15 seconds, until the source is closed."""
        self._open += 1
        try:
            yield _AGAIN
            while not self._source.bell.silenced:
                news = self._source.bell.next()
                yield b"event: state\ndata: " + msgspec.json.encode(self._source.state()) + b"\n\n"
                with suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), _HEARTBEAT)
        finally:
            self._open -= 1
