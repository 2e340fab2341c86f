"""How many requests are served at once, and what becomes of the others."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

Overload: TypeAlias = Literal["wait", "refuse"]


@dataclass(slots=True)
class Capacity:
    """Places for requests; used in the server's loop, and set from any thread.

    Attributes:
        limit: Places, None for any number.
        overload: Whether a request without a place waits in order or is refused.
    """

    limit: int | None
    overload: Overload
    _busy: int = 0
    _queue: deque[asyncio.Future[None]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        check_capacity(self.limit)
        if self.overload not in get_args(Overload):
            raise ValueError(f"overload must be 'wait' or 'refuse', not {self.overload!r}")

    @asynccontextmanager
    async def place(self) -> AsyncIterator[bool]:
        """Hold a place, as soon as there is one; False where there is none and none is waited for."""
        if self.overload == "refuse" and not self._free:
            yield False
            return
        await self._enter()
        try:
            yield True
        finally:
            self._leave()

    @property
    def _free(self) -> bool:
        return self.limit is None or self._busy < self.limit

    async def _enter(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it had its turn, and could not take it
                self._leave()
            raise

    def _leave(self) -> None:
        self._busy -= 1
        self._admit()

    def _admit(self) -> None:
        while self._queue and self._free:
            turn = self._queue.popleft()
            if not turn.cancelled():
                self._busy += 1
                turn.set_result(None)


def check_capacity(limit: object) -> None:
    """Refuse what is no number of places.

    Raises:
        ValueError: ``limit`` is neither a whole number from 1 on nor None.
    """
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise ValueError(f"capacity must be 1 or more, or None, not {limit!r}")
