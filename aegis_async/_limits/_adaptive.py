"""Finds how many requests at once the service can take, from how long its answers take."""

import math
from typing import Final

__all__ = ["CAP", "AdaptiveLimit"]

CAP: Final = 128  # requests of one client at once, however well the service bears it
_START: Final = 4
_QUICK: Final = 16  # answers that a look needs at least while the limit doubles
_WINDOW: Final = (64, 400)  # those that it needs later, and those that suffice however they differ
_NOISE: Final = 0.04  # of a window's mean time: its standard error should be no more
_DOUBT: Final = 3.0  # standard errors by which the least of many means lies too low
_ROOM: Final = 0.05  # of those on the wire, in the service's queue: less, and there is room for more
_CROWD: Final = 0.1  # more, and fewer may do
_HOLD: Final = 10  # windows between the two, before it is tried as well
_LEAST: Final = 1e-6  # seconds: an answer that took no time would end all division
_CUT: Final = 0.85  # what is left of the limit when the service says that it is too much
_WORST: Final = 0.5  # what is left of it at least, until what was on the wire has come back
_TRIAL: Final = 0.75  # of the limit, while it is tried whether fewer do
_AS_MUCH: Final = 0.92  # of the answers before: nearer to all of them than to _TRIAL, since errors that way cost less
_TRIAL_WINDOWS: Final = 2  # the first one still holds answers from before
_PATIENCE: Final = 8  # windows at most before a bound that refused is tried again


class AdaptiveLimit:
    """A limit that grows until more requests at once bring nothing, and shrinks when the service refuses.

    It goes up by one for each window of answers, and doubles while it is far below what is known to be good. By
    Little's law the answers' time tells how many requests only wait in the service's queue: of ``n`` on the wire,
    ``n * (1 - best / now)``, where ``best`` is the least mean time so far. When they are many, fewer are tried for two
    windows. If as much comes from them as before and after, they are the limit from then on; if less comes, the service
    has become slower as such, and ``best`` is learned anew.

    A 429, a 503 or a timeout cuts the limit at once. A bound that refuses again and again is tried less and less
    often.
    """

    def __init__(self, cap: int = CAP) -> None:
        self._cap = cap
        self._limit = float(min(_START, cap))
        self._floor = 1.0
        self._known = math.inf
        self._grown = True
        self._window = _Window()
        self._best = math.inf
        self._deaf_until = -math.inf
        self._bound = _Bound()
        self._held = 0
        self._trial = 0
        self._rate = self._low_rate = self._low_mean = 0.0
        self._low = 1

    @property
    def limit(self) -> int:
        """Requests on the wire at most, from now on."""
        full = int(self._limit)
        return max(1, min(full - 1, math.ceil(full * _TRIAL))) if self._trial > _TRIAL_WINDOWS else full

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
        self._window.add(now, max(latency, _LEAST), busy, wanted=wanted)
        if self._window.full(now, _QUICK if self._doubles and not self._trial else _WINDOW[0]):
            window, self._window = self._window, _Window()
            self._best = min(self._best, window.mean)
            if self._trial:
                self._judge(window)
            elif window.wanted:
                self._look(window)

    def refused(self, now: float, latency: float) -> None:
        """Hear that the service had too much: a 429, a 503 or a timeout, ``latency`` seconds after the request."""
        if now < self._deaf_until:
            # Who is refused at once makes room for the next at once, so one cut may not be enough.
            self._limit = max(min(self._floor, self._limit), self._limit - 1)
            return
        if self._grown:  # else it is an outage, which says nothing of the bound
            self._known = self.limit * _CUT
            self._grown = False
        self._bound.refused_at(self.limit)
        self._floor = max(1.0, self.limit * _WORST)
        self._limit = float(max(1, int(self.limit * _CUT)))
        self._trial = 0
        self._deaf_until = now + (self._best if math.isfinite(self._best) else latency)
        self._window = _Window()

    @property
    def _doubles(self) -> bool:
        return self._limit * 2 <= self._known

    def _look(self, window: "_Window") -> None:
        busy = window.busy / window.count
        queue = busy * (1 - self._best * (1 + _DOUBT * window.noise) / window.mean)
        if queue < max(0.5, _ROOM * busy):
            self._grow()
            return
        self._held += 1
        if queue > max(1.0, _CROWD * busy) or self._held > _HOLD:
            self._held, self._trial, self._rate = 0, 2 * _TRIAL_WINDOWS, window.rate

    def _grow(self) -> None:
        wanted = self._limit * 2 if self._doubles else self._limit + 1
        if self._bound.may_reach(wanted):
            self._limit = min(float(self._cap), wanted)
            self._known = max(self._known, self._limit)
            self._grown = True

    def _judge(self, window: "_Window") -> None:
        """Compare what came from fewer with what came before and after, since much changes by itself."""
        low, self._trial = self.limit, self._trial - 1
        if self._trial == _TRIAL_WINDOWS:
            self._low, self._low_rate, self._low_mean = low, window.rate, window.mean
        elif not self._trial and self._low_rate > _AS_MUCH * max(self._rate, window.rate):
            self._limit = self._known = float(self._low)
            self._deaf_until = window.ended + window.mean  # until those are answered who came with the many
        elif not self._trial:
            self._best = self._low_mean


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

    __slots__ = ("begun", "busy", "count", "ended", "latency", "squares", "wanted")

    def __init__(self) -> None:
        self.begun = math.inf
        self.ended = math.inf
        self.count = 0
        self.latency = 0.0
        self.squares = 0.0
        self.busy = 0
        self.wanted = False

    @property
    def mean(self) -> float:
        """The mean time."""
        return self.latency / self.count

    @property
    def rate(self) -> float:
        """Answers per second; not what Little's law gives, which does not hold while the limit changes."""
        return (self.count - 1) / (self.ended - self.begun)

    @property
    def noise(self) -> float:
        """The standard error of the mean time, as a part of it."""
        return math.sqrt(self._variance / self.count)

    @property
    def _variance(self) -> float:
        """Of the times, as a part of their mean's square."""
        return max(0.0, self.squares * self.count / self.latency**2 - 1) if self.count else 0.0

    def add(self, now: float, latency: float, busy: int, *, wanted: bool) -> None:
        self.begun = min(self.begun, now)
        self.ended = now
        self.count += 1
        self.latency += latency
        self.squares += latency * latency
        self.busy += busy
        self.wanted = self.wanted or wanted

    def full(self, now: float, least: int) -> bool:
        enough = max(least, min(_WINDOW[1], self._variance / _NOISE**2))
        return self.count >= max(enough, self.busy / self.count) and now - self.begun >= self.mean
