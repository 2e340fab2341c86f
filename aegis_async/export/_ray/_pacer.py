"""Between a client's gate and the limiter: turns are reserved for those who wait, pauses told and heard of."""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final, Self, TypeVar

from ray.exceptions import RayError

from aegis_async._session import Session
from aegis_async._tasks import finish
from aegis_async.export._ray._limiter import LimiterHandle

__all__ = ["Pacer"]

T = TypeVar("T")

_log: Final = logging.getLogger("aegis_async")
_KEPT: Final = 0.25  # seconds for which a turn may be late: later ones together would be a burst
_AGAIN: Final = 1.0  # seconds until a limiter that does not answer is asked again: Ray starts another one


class Pacer:
    """Keeps the gate of a client to what the limiter allows all who share its key, inside its ``async with``.

    Args:
        session: The client's.
        limiter: The handle of a `Limiter`.
        paced: Whether it keeps a rate.
        slots: How many of the key's requests this client may have on the wire; None leaves it as it is.
    """

    def __init__(self, session: Session, limiter: LimiterHandle, *, paced: bool, slots: int | None) -> None:
        self._session = session
        self._limiter = limiter
        self._paced = paced
        self._slots = slots
        self._turns: deque[float] = deque()
        self._asking: asyncio.Task[None] | None = None
        self._hearing = False

    async def __aenter__(self) -> Self:
        gate = self._gate = self._session.gate()
        self._before = gate.rate, gate.limit
        gate.rate = self if self._paced else None
        gate.on_pause = self._tell
        if self._slots is not None:
            gate.limit = self._slots
        self._listening = self._session.tasks().start(self._listen())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await finish(*(task for task in (self._listening, self._asking) if task is not None))
        gate = self._gate
        gate.on_pause, gate.rate = None, self._before[0]
        if self._slots is not None:
            gate.limit = self._before[1]

    def delay(self, now: float) -> float:
        """Give the seconds until the next turn; infinite while one is asked for."""
        while self._turns and self._turns[0] < now - _KEPT:
            self._turns.popleft()
        if self._turns:
            return max(0.0, self._turns[0] - now)
        if self._asking is None or self._asking.done():
            self._asking = self._session.tasks().start(self._ask())
        return math.inf

    def passed(self, now: float) -> None:  # noqa: ARG002 - the protocol's
        """Hear that a turn is taken."""
        self._turns.popleft()

    async def _ask(self) -> None:
        turns = await self._asked(lambda: self._limiter.reserve.remote(max(1, self._gate.waiting)))
        now = time.monotonic()
        self._turns.extend(now + delay for delay in turns)
        # This task is not done yet, and whoever finds no turn left must be able to begin another one.
        self._asking = None
        self._gate.wake()

    async def _listen(self) -> None:
        seen = 0
        while True:
            seen, left = await self._asked(lambda: self._limiter.pauses.remote(seen))  # noqa: B023 - awaited here
            self._turns.clear()
            self._hearing = True
            self._gate.pause(left)
            self._hearing = False

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await ask()
            except RayError as error:
                _log.warning("the limiter does not answer, and is asked again: %s", error)
                await asyncio.sleep(_AGAIN)

    def _tell(self, seconds: float) -> None:
        if not self._hearing:
            self._turns.clear()
            _ = self._limiter.pause.remote(seconds)  # nobody waits for it: calls to an actor arrive in their order
