"""Finds how many requests at once the service can take, from how long its answers take."""

import math
from typing import Final

__all__ = ["CAP", "AdaptiveLimit"]

CAP: Final = 128  # requests of one client at once, however well the service bears it
_START: Final = 4
_WINDOW: Final = 16  # answers that a look needs at least
_CUT: Final = 0.85  # what is left of the limit when the service says that it is too much
_PATIENCE: Final = 32  # windows at most before a bound that refused is tried again
_DIP: Final = 0.8  # of the limit, while the time of an unhindered answer is measured again
_DIP_WINDOWS: Final = 2  # the first one still holds answers from before
_EPOCH: Final = 60  # windows between two dips
_ROOM: Final = 0.1  # of those on the wire, in the service's queue: less, and there is room for more
_CROWD: Final = 0.2  # more, and they only wait for each other


class AdaptiveLimit:
    """A limit that grows while answers do not slow down, and shrinks when they do or when the service refuses.

    By Little's law the answers' time tells how many requests only wait in the service's queue: of ``n`` on the
    wire, ``n * (1 - best / now)``, where ``best`` is the mean time of an unhindered answer. The limit goes up by
    one for each window while that queue is short, comes down by half of what is too many when it is long, and is
    cut at a 429, a 503 or a timeout. At first it doubles, until it has met a bound; a bound that refuses again and
    again is tried less and less often.
    """

    def __init__(self, cap: int = CAP) -> None:
        self._cap = cap
        self._limit = float(min(_START, cap))
        self._doubling = True
        self._window = _Window()
        self._best = self._best_before = math.inf
        self._epoch = 0
        self._deaf_until = -math.inf
        self._dip = 0
        self._bound = _Bound()

    @property
    def limit(self) -> int:
        """Requests on the wire at most, from now on."""
        return math.ceil(self._limit * _DIP) if self._dip else int(self._limit)

    def answered(self, now: float, latency: float, busy: int, *, wanted: bool) -> None:
        """Hear of an answer.

        Args:
            now: The instant.
            latency: Seconds from the request to the first byte of its answer.
            busy: Requests on the wire, this one counted.
            wanted: Whether somebody waited for a slot.
        """
        if now < self._deaf_until:  # begun before the last cut
            return
        self._window.add(now, latency, busy, wanted=wanted)
        if self._window.full(now):
            self._look(self._window)
            self._window = _Window()

    def refused(self, now: float, latency: float) -> None:
        """Hear that the service had too much: a 429, a 503 or a timeout, ``latency`` seconds after the request."""
        if now < self._deaf_until:
            return
        self._doubling = False
        self._bound.refused_at(self.limit)
        self._limit = float(max(1, int(self.limit * _CUT)))
        self._dip = 0
        best = min(self._best, self._best_before)
        self._deaf_until = now + (best if math.isfinite(best) else latency)
        self._window = _Window()

    def _look(self, window: "_Window") -> None:
        mean = window.latency / window.count
        self._best = min(self._best, mean)
        if self._dip:
            self._dip -= 1
            return
        busy = window.busy / window.count
        queue = busy * (1 - min(self._best, self._best_before) / mean)
        crowd = max(1.5, _CROWD * busy)
        if queue > crowd:
            self._doubling = False
            self._limit = max(1.0, self._limit - max(1.0, (queue - crowd) / 2))
        elif window.wanted and queue < max(0.75, _ROOM * busy):
            self._grow()
        self._count_window()

    def _grow(self) -> None:
        wanted = self._limit * 2 if self._doubling else self._limit + 1
        if self._bound.may_reach(wanted):
            self._limit = min(float(self._cap), wanted)

    def _count_window(self) -> None:
        self._epoch += 1
        if self._epoch == _EPOCH:
            self._epoch = 0
            self._best_before, self._best = self._best, math.inf
            self._dip = 0 if self._doubling else _DIP_WINDOWS


class _Bound:
    """The limit at which the service refused, and how long to stay below it."""

    __slots__ = ("_at", "_calm", "_patience")

    def __init__(self) -> None:
        self._at = math.inf
        self._calm = 0
        self._patience = 1

    def refused_at(self, limit: int) -> None:
        self._at = limit
        self._calm = 0
        self._patience = min(_PATIENCE, self._patience * 2)

    def may_reach(self, limit: float) -> bool:
        if limit < self._at:
            return True
        if limit > self._at:  # it was reached, and a window later nothing has been refused
            self._at, self._patience = math.inf, 1
            return True
        self._calm += 1
        return self._calm > self._patience


class _Window:
    """The answers between two looks."""

    __slots__ = ("begun", "busy", "count", "latency", "wanted")

    def __init__(self) -> None:
        self.begun = math.inf
        self.count = 0
        self.latency = 0.0
        self.busy = 0
        self.wanted = False

    def add(self, now: float, latency: float, busy: int, *, wanted: bool) -> None:
        self.begun = min(self.begun, now)
        self.count += 1
        self.latency += latency
        self.busy += busy
        self.wanted = self.wanted or wanted

    def full(self, now: float) -> bool:
        return self.count >= max(_WINDOW, self.busy / self.count) and now - self.begun >= self.latency / self.count
