"""A rate, kept by the instant at which the next attempt is due."""

import math

from aegis_async._config import RateLimit

__all__ = ["Spacing"]


class Spacing:
    """Keeps to a rate by the instant at which the next one is due (GCRA)."""

    __slots__ = ("_due", "_interval", "_slack")

    def __init__(self, rate: RateLimit) -> None:
        self._interval = 1 / rate.per_second
        self._slack = (rate.burst - 1) * self._interval
        self._due = -math.inf

    def delay(self, now: float) -> float:
        """Give the seconds until the next one may begin."""
        return max(0.0, self._due - self._slack - now)

    def passed(self, now: float) -> None:
        """Hear that one begins."""
        self._due = max(self._due, now) + self._interval
