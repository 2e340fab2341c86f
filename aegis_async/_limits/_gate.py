"""The one door to the wire: slots in two lanes, a rate, and a pause that holds everybody."""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from aegis_async._clock import Alarm, Clock
from aegis_async._config import RateLimit
from aegis_async._limits._adaptive import AdaptiveLimit
from aegis_async._limits._pause import Pause
from aegis_async._limits._spacing import Spacing

__all__ = ["Gate", "Rate", "Visitor"]

_BULK_SHARE: Final = 10  # of so many that pass while bulk waits, at least one is bulk


class Visitor(Protocol):
    """A call that wants to pass."""

    @property
    def bulk(self) -> bool:
        """Whether it goes in the lane that leaves room for the other."""

    def hold(self, until: float) -> None:
        """Hear that the client pauses until that instant.

        Raises:
            Exception: The call cannot wait that long.
        """


class Rate(Protocol):
    """Says when the next attempt may begin."""

    def delay(self, now: float) -> float:
        """Give the seconds until then; infinite while it is not known, and then `Gate.wake` is called."""

    def passed(self, now: float) -> None:
        """Hear that one begins."""


class _Place:
    """Somebody in a queue."""

    __slots__ = ("passed", "visitor")

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.passed: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Gate:
    """Lets one attempt after the other pass, in two lanes, each first come first served.

    A slot is held only while a request is on the wire, never during a wait. The bulk lane never takes the last
    quarter of the slots (at least one) when there is more than one, and of those that pass while it waits at least
    one in ten is bulk.

    Args:
        limit: Slots, or what finds how many there should be.
        rate: Attempts that may begin in a second, None for any number.
        clock: Time and chance.

    Attributes:
        rate: What every attempt waits for; another one can take its place, as where several processes share a key.
        on_pause: Told how many seconds a pause that begins will take.
    """

    def __init__(self, limit: int | AdaptiveLimit, rate: RateLimit | None, clock: Clock) -> None:
        self._clock = clock
        self.rate: Rate | None = Spacing(rate) if rate is not None else None
        self.on_pause: Callable[[float], object] | None = None
        self._queues: tuple[deque[_Place], deque[_Place]] = (deque(), deque())
        self._busy = [0, 0]
        self._passed_bulk_by = 0
        self._pause: Pause | None = None
        self._alarm: Alarm | None = None
        self._adaptive = limit if isinstance(limit, AdaptiveLimit) else None
        self.adapts: bool = self._adaptive is not None
        """Whether it wants to hear how long answers take."""
        self.limit = limit.limit if isinstance(limit, AdaptiveLimit) else limit

    @property
    def limit(self) -> int:
        """Slots in all."""
        return self._limit

    @limit.setter
    def limit(self, slots: int) -> None:
        self._limit = slots
        self._bulk_limit = slots - max(1, slots // 4) if slots > 1 else 1
        self._let_pass()

    @property
    def busy(self) -> int:
        """Attempts on the wire."""
        return sum(self._busy)

    @property
    def waiting(self) -> int:
        """Calls that wait to pass."""
        return len(self._queues[0]) + len(self._queues[1])

    @property
    def paused_for(self) -> float:
        """Seconds until the pause ends, zero where there is none."""
        return max(0.0, self._pause.until - self._clock.monotonic()) if self._pause else 0.0

    @property
    def held(self) -> bool:
        """Whether a pause, or the coming back after it, holds everybody."""
        return self._pause is not None

    def try_enter(self, *, bulk: bool) -> bool:
        """Pass at once where nothing is in the way: the usual case, without an await."""
        first, second = self._queues
        if self._pause is not None or self.rate is not None or first or (bulk and second) or not self._free(bulk):
            return False
        self._busy[bulk] += 1
        return True

    async def enter(self, visitor: Visitor) -> None:
        """Wait until ``visitor`` may pass.

        Raises:
            Exception: What ``visitor.hold`` raised, when a pause begins or is on.
        """
        if self._pause is not None and self._pause.until > self._clock.monotonic():
            visitor.hold(self._pause.until)
        bulk, place = visitor.bulk, _Place(visitor)
        self._queues[bulk].append(place)
        try:
            self._let_pass()
            await place.passed
        except BaseException:
            if _has_passed(place):
                self.leave(bulk=bulk)
            else:
                self._forget(place)
            raise

    def leave(self, *, bulk: bool) -> None:
        """Give the slot back."""
        self._busy[bulk] -= 1
        if self._queues[0] or self._queues[1]:
            self._let_pass()

    def answered(self, latency: float) -> None:
        """Hear of an answer, so many seconds after its request; whoever had it has left."""
        if self._adaptive is not None:
            self._adaptive.answered(self._clock.monotonic(), latency, self.busy + 1, wanted=self.waiting > 0)
            if self._adaptive.limit != self._limit:
                self.limit = self._adaptive.limit

    def refused(self, latency: float) -> None:
        """Hear that the service had too much: a 429, a 503 or a timeout."""
        if self._adaptive is not None:
            self._adaptive.refused(self._clock.monotonic(), latency)
            self.limit = self._adaptive.limit

    def pause(self, seconds: float) -> None:
        """Let nobody pass for so long, and then not all at once; who is on the wire is left alone.

        Those who cannot wait that long hear of it at once.
        """
        until = self._clock.monotonic() + seconds
        if self._pause is not None and self._pause.until >= until:
            return
        self._pause = Pause(until, seconds)
        if self.on_pause is not None:
            self.on_pause(seconds)
        for place in [*self._queues[0], *self._queues[1]]:
            if not place.passed.done():
                try:
                    place.visitor.hold(until)
                except Exception as error:  # noqa: BLE001 - raised where the visitor waits
                    place.passed.set_exception(error)

    def wake(self) -> None:
        """Hear that the rate may let somebody pass who had to wait for it."""
        self._let_pass()

    def close(self, error: Callable[[], Exception]) -> None:
        """Send everybody away who waits, each with an error of its own."""
        for place in [*self._queues[0], *self._queues[1]]:
            if not place.passed.done():
                place.passed.set_exception(error())
        self._silence()

    def _free(self, bulk: bool) -> bool:  # noqa: FBT001 - an index as well
        busy = self._busy
        return busy[0] + busy[1] < self._limit and not (bulk and busy[1] >= self._bulk_limit)

    def _let_pass(self) -> None:
        while (bulk := self._next_lane()) is not None:
            delay = self._delay()
            if delay > 0:
                self._wake_in(delay)
                return
            place = self._queues[bulk].popleft()
            if place.passed.done():  # it was sent away, and has not run since
                continue
            self._busy[bulk] += 1
            self._passed_bulk_by = 0 if bulk or not self._queues[1] else self._passed_bulk_by + 1
            place.passed.set_result(None)
            self._count_passed()

    def _next_lane(self) -> bool | None:
        first, second = self._queues
        if second and self._free(bulk=True) and (not first or self._passed_bulk_by >= _BULK_SHARE - 1):
            return True
        return False if first and self._free(bulk=False) else None

    def _delay(self) -> float:
        """Give the seconds before the next one may pass, whoever it is."""
        now = self._clock.monotonic()
        delay = self.rate.delay(now) if self.rate is not None else 0.0
        if self._pause is not None:
            held = self._pause.delay(now, self.waiting, self._clock.random)
            if held is None:
                self._pause = None
            else:
                delay = max(delay, held)
        return delay

    def _count_passed(self) -> None:
        if self.rate is not None:
            self.rate.passed(self._clock.monotonic())
        if self._pause is not None:
            self._pause.passed()

    def _forget(self, place: _Place) -> None:
        queue = self._queues[place.visitor.bulk]
        if place in queue:
            queue.remove(place)
        if not self.waiting:
            self._silence()

    def _wake_in(self, delay: float) -> None:
        self._silence()
        if delay < math.inf:
            self._alarm = self._clock.later(delay, self._woken)

    def _woken(self) -> None:
        self._alarm = None
        self._let_pass()

    def _silence(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None


def _has_passed(place: _Place) -> bool:
    return place.passed.done() and not place.passed.cancelled() and place.passed.exception() is None
