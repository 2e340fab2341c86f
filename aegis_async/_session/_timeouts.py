"""The limits in time of all attempts under way: one alarm of the loop for each length, whoever waits."""

import asyncio
import math
from typing import Final

import msgspec
from aiohttp import ClientTimeout, SocketTimeoutError

from aegis_async._config import Timeout

__all__ = ["Running", "Timeouts"]

_NEVER_ROUNDED: Final = math.inf  # aiohttp rounds limits of more than this many seconds up to whole ones


class _Limit:
    """So many seconds, for any number of attempts at once.

    Who begins first runs out first, so one alarm, set for the oldest, is enough for all. A timer for each would cost
    more than the rest of what is done for an attempt.
    """

    def __init__(self, seconds: float, error: type[TimeoutError], *, lasting: bool = True) -> None:
        self._seconds = seconds
        self._error = error
        self._lasting = lasting
        self._loop = asyncio.get_running_loop()
        self._ends: dict[Running, float] = {}
        self._alarm: asyncio.TimerHandle | None = None

    def begin(self, attempt: "Running") -> None:
        """Count from now."""
        self._ends.pop(attempt, None)  # what is put in again is the youngest
        end = self._ends[attempt] = self._loop.time() + self._seconds
        if self._alarm is None:
            self._alarm = self._loop.call_at(end, self._ring)

    def drop(self, attempt: "Running") -> None:
        """Count no more."""
        self._ends.pop(attempt, None)
        if not self._lasting:
            self._silence_if_done()

    def close(self) -> None:
        """Leave no alarm behind, once those who are limited have ended."""
        self._lasting = False
        self._silence_if_done()

    def _silence_if_done(self) -> None:
        if self._alarm is not None and not self._ends:
            self._alarm.cancel()
            self._alarm = None

    def _ring(self) -> None:
        now = self._loop.time()
        for attempt in [attempt for attempt, end in self._ends.items() if end <= now]:
            del self._ends[attempt]
            attempt.run_out(self._error)
        oldest = next(iter(self._ends.values()), None)
        self._alarm = None if oldest is None else self._loop.call_at(oldest, self._ring)


class _Terms(msgspec.Struct, frozen=True):
    """One ``Timeout`` at work.

    Attributes:
        whole: Of an attempt.
        quiet: Of each silence in it.
        client: What is left to aiohttp.
    """

    whole: _Limit
    quiet: _Limit
    client: ClientTimeout


class Running:
    """One attempt, limited as a whole and in each silence.

    Attributes:
        task: Who makes it.
        client: The limits that are left to aiohttp.
    """

    __slots__ = ("_cancelled_before", "_over", "_quiet", "_whole", "client", "task")

    def __init__(self, task: "asyncio.Task[object]", terms: _Terms, total: float | None) -> None:
        self.task: asyncio.Task[object] = task
        self.client: ClientTimeout = terms.client
        self._cancelled_before = task.cancelling()
        self._over: type[TimeoutError] | None = None
        self._quiet = terms.quiet
        self._whole = terms.whole if total is None else _Limit(total, TimeoutError, lasting=False)
        self._whole.begin(self)

    def heard(self) -> None:
        """Count a new silence from now."""
        self._quiet.begin(self)

    def end(self) -> None:
        """Count nothing any more."""
        self._whole.drop(self)
        self._quiet.drop(self)
        self.over()

    def run_out(self, error: type[TimeoutError]) -> None:
        """Cancel the attempt where it waits; ``over`` takes it back."""
        if self._over is None:
            self._over = error
            self.task.cancel()

    def over(self) -> type[TimeoutError] | None:
        """Give what a cancellation means if it came from here, and nobody else has cancelled meanwhile."""
        error, self._over = self._over, None
        if error is None or self.task.uncancel() > self._cancelled_before:
            return None
        return error


class Timeouts:
    """The limits of one client's attempts in one event loop.

    Args:
        hears: Whether somebody tells when an attempt is connected; otherwise silence is left to aiohttp.
    """

    def __init__(self, *, hears: bool) -> None:
        self._hears = hears
        self._terms: dict[Timeout, _Terms] = {}
        self._latest: Timeout | None = None
        self._latest_terms: _Terms
        self._running: dict[asyncio.Task[object], Running] = {}

    def begin(self, timeout: Timeout, total: float | None) -> Running:
        """Begin an attempt of the current task; ``total`` seconds are left for it where they are fewer."""
        task = _this_task()
        if timeout is not self._latest:  # to look for one means to hash it, in Python
            self._latest, self._latest_terms = timeout, self._terms.get(timeout) or self._agreed(timeout)
        running = self._running[task] = Running(task, self._latest_terms, total)
        return running

    def connected(self) -> None:
        """Hear that the current task's attempt has a connection, and is silent from now."""
        self._running[_this_task()].heard()

    def end(self, running: Running) -> None:
        """Let go of an attempt."""
        self._running.pop(running.task, None)  # not there, if the same task made another attempt inside of this one
        running.end()

    def close(self) -> None:
        """Leave no alarm behind, once the attempts under way have ended: in a session of the caller's they go on."""
        for terms in self._terms.values():
            terms.whole.close()
            terms.quiet.close()

    def _agreed(self, timeout: Timeout) -> _Terms:
        whole, quiet = _Limit(timeout.attempt, TimeoutError), _Limit(timeout.read, SocketTimeoutError)
        read = None if self._hears else timeout.read
        client = ClientTimeout(total=None, connect=timeout.connect, sock_read=read, ceil_threshold=_NEVER_ROUNDED)
        return self._terms.setdefault(timeout, _Terms(whole, quiet, client))


def _this_task() -> "asyncio.Task[object]":
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("a call is made in a task")
    return task
