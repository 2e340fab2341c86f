"""A pause that the service asked for, and how those who waited come back."""

from collections.abc import Callable
from typing import Final

__all__ = ["Pause"]

_SPREAD: Final = 0.25  # of a pause: over this much longer those who waited come back
_SPREAD_BOUNDS: Final = (0.25, 5.0)  # seconds


class Pause:
    """A time in which nobody passes, and after it one in which those who waited come back one by one.

    Each of them would draw an instant of its own from the second time; what is computed is the first of so many.
    """

    __slots__ = ("_end", "_next", "until")

    def __init__(self, until: float, seconds: float) -> None:
        least, most = _SPREAD_BOUNDS
        self.until = until
        self._end = until + min(most, max(least, seconds * _SPREAD))
        self._next: float | None = None

    def delay(self, now: float, waiting: int, random: Callable[[], float]) -> float | None:
        """Give the seconds until the next one may pass, None when all of it is over."""
        if now < self.until:
            return self.until - now
        if now >= self._end:
            return None
        if self._next is None:
            self._next = now + (self._end - now) * (1 - random() ** (1 / max(1, waiting)))
        return max(0.0, self._next - now)

    def passed(self) -> None:
        """Hear that one has passed: the next one draws anew."""
        self._next = None
