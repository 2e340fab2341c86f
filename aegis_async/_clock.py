"""Time and chance, passed in so that tests wait for nothing and say exactly what they mean."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol

import msgspec

__all__ = ["Alarm", "Clock"]


class Alarm(Protocol):
    """Something that will happen, unless it is cancelled."""

    def cancel(self) -> None:
        """Let it not happen."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _later(seconds: float, then: Callable[[], None]) -> Alarm:
    return asyncio.get_running_loop().call_later(seconds, then)


class Clock(msgspec.Struct, frozen=True):
    """What the session reads time from.

    Attributes:
        monotonic: Seconds that never go back.
        now: The wall clock in UTC, for dates that the service sends.
        sleep: Waits that many seconds.
        later: Calls something in that many seconds.
        random: A number in [0, 1), for jitter.
    """

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = _utc_now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    later: Callable[[float, Callable[[], None]], Alarm] = _later
    random: Callable[[], float] = random.random
