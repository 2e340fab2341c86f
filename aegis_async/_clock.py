"""Time and chance, passed in so that tests wait for nothing and say exactly what they mean."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ["Clock"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """What the session reads time from.

    Attributes:
        monotonic: Seconds that never go back.
        now: The wall clock in UTC, for dates that the service sends.
        sleep: Waits that many seconds.
        random: A number in [0, 1), for jitter.
    """

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = _utc_now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random
