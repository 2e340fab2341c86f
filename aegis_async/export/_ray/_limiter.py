"""One limit for all who share a key: turns at a rate, handed out in batches, and pauses that everybody hears of."""

import asyncio
import math
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import ParamSpec, Protocol, TypeVar

from aegis_async._config import RateLimit
from aegis_async._limits import Spacing

__all__ = ["Limiter", "LimiterHandle", "Remote"]

P = ParamSpec("P")
T_co = TypeVar("T_co", covariant=True)


class Remote(Protocol[P, T_co]):
    """A call to an actor, as those see it who have its handle."""

    def remote(self, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T_co]:
        """Send it."""


class LimiterHandle(Protocol):
    """A `Limiter` somewhere on the cluster."""

    reserve: Remote[[int], list[float]]
    pause: Remote[[float], None]
    pauses: Remote[[int], tuple[int, float]]
    close: Remote[[], None]


class Limiter:
    """Keeps the rate of one key for several processes. It never sees the key.

    Every time is told as seconds from now, since clocks of machines differ.

    Args:
        rate: Attempts that may begin in a second, by all together; None for any number.
        clock: Seconds that never go back.
    """

    def __init__(self, rate: RateLimit | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._spacing = Spacing(rate) if rate is not None else None
        self._until = -math.inf
        # Unlike that of a limiter that died: who listened to it must drop the turns that it gave.
        self._version = 1 + secrets.randbits(48)
        self._changed = asyncio.Event()

    async def reserve(self, count: int) -> list[float]:
        """Give in how many seconds each of the next attempts may begin; a second's worth of them at most."""
        if self._rate is None or self._spacing is None:
            return [0.0] * count
        now, turns = self._clock(), list[float]()
        for _ in range(max(1, min(count, math.ceil(self._rate.per_second)))):
            at = max(now + self._spacing.delay(now), self._until)
            self._spacing.passed(at)
            turns.append(at - now)
        return turns

    async def pause(self, seconds: float) -> None:
        """Let nobody begin for so long; turns that were handed out for that time are void."""
        until = self._clock() + seconds
        if until <= self._until:
            return
        self._until = until
        if self._rate is not None:
            self._spacing = Spacing(self._rate)
        self._tell()

    def _tell(self) -> None:
        self._version += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def pauses(self, seen: int) -> tuple[int, float]:
        """Wait for a pause later than the one that was seen, and give its number and the seconds left of it."""
        while seen == self._version:
            await self._changed.wait()
        return self._version, max(0.0, self._until - self._clock())

    async def close(self) -> None:
        """Answer everybody who listens, since there will be no other pause."""
        self._tell()
