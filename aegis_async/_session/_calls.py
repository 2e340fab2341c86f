"""The calls of one client: the gate, an attempt, what its answer means, and whether to try again."""

import asyncio
import logging
import math
import os
import time
from dataclasses import asdict, dataclass
from typing import Final, Generic, Literal, TypeVar

from aegis_async._clock import Clock
from aegis_async._config import RateLimit, RetryBudget
from aegis_async._deadline import nearest
from aegis_async._hooks import Hooks
from aegis_async._limits import AdaptiveLimit, Bucket, Gate
from aegis_async._retry import Retry
from aegis_async._session._call import Call, Timings
from aegis_async._session._request import RawResponse
from aegis_async._session._stats import ClientStats, Counts
from aegis_async._session._status import masked, status_error
from aegis_async._session._transport import Transport, Wire
from aegis_async._session._watch import Watch
from aegis_async._tasks import TaskOwner
from aegis_async.errors import (
    AegisError,
    ClientClosedError,
    ConfigurationError,
    DeadlineExceededError,
    DecodeError,
    RequestError,
    RequestTimeoutError,
    StatusError,
)

__all__ = ["Limits", "Session"]

T = TypeVar("T")
E = TypeVar("E", RequestError, StatusError, DecodeError)

log: Final = logging.getLogger("aegis_async")

_PAUSING: Final = frozenset({429, 503})  # with Retry-After they speak of the whole service, not of one request


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client asks of the service at most.

    Attributes:
        concurrency: Requests on the wire at once, or ``"auto"``.
        rate: Attempts that may begin in a second.
    """

    concurrency: int | Literal["auto"] = 16
    rate: RateLimit | None = None


class Session:
    """Everything between a request and its decoded answer.

    Bound to the event loop of its first call; when that loop is closed, the next loop starts anew.
    """

    def __init__(self, wire: Wire, limits: Limits, clock: Clock, hooks: Hooks | None = None) -> None:
        self.base: str = str(wire.base_url)
        self._wire = wire
        self._rate = limits.rate
        self._adaptive = AdaptiveLimit() if limits.concurrency == "auto" else None
        self._fixed = limits.concurrency if limits.concurrency != "auto" else None
        self.clock = clock
        self.counts = Counts()
        self._watch = Watch(hooks, wire.key) if hooks else None
        self._buckets: dict[RetryBudget, Bucket] = {}
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0
        self._left_behind: list[object] = []
        self._tasks: TaskOwner
        self._gate: Gate
        self._transport: Transport

    @property
    def closed(self) -> bool:
        """Whether ``aclose()`` was called."""
        return self._closed

    @property
    def opened(self) -> bool:
        """Whether there is anything to close: a call was made, and no ``aclose()`` since."""
        return self._loop is not None and not self._closed

    def tasks(self) -> TaskOwner:
        """Give the owner of this loop's background tasks.

        Raises:
            ClientClosedError: The client is closed.
            ConfigurationError: The client lives in another loop that is still alive.
        """
        self.enter_loop()
        return self._tasks

    def stats(self, budget: RetryBudget | None) -> ClientStats:
        """Give the counts so far, and the state of the gate."""
        gate = self._gate if self._loop is not None else None
        full = budget.capacity if budget else None
        return ClientStats(
            **asdict(self.counts),
            in_flight=gate.busy if gate else 0,
            waiting=gate.waiting if gate else 0,
            limit=self._limit(),
            paused_for=gate.paused_for if gate else 0.0,
            retry_tokens=self._buckets[budget].tokens if budget in self._buckets else full,
        )

    async def call(self, call: Call[T]) -> T:
        """Give the decoded answer, after as many attempts as it takes and may take, before the nearest deadline.

        Raises:
            AegisError: The last attempt's error.
            DeadlineExceededError: An attempt or a wait could not end in time.
        """
        if self._closed or self._loop is not asyncio.get_running_loop():
            self.enter_loop()
        call.deadline = nearest(call.options.deadline, self.clock.monotonic)
        try:
            result = await self._attempts(call)
        except BaseException as error:
            self.counts.failed += 1
            if self._watch:
                self._watch.gave_up(call, error)
            raise
        self.counts.succeeded += 1
        return result

    async def aclose(self) -> None:
        """End every task and connection; calling it again does nothing."""
        self._closed = True
        if self._loop is asyncio.get_running_loop():
            self._gate.close(closed_error)
            await self._tasks.aclose()
            await self._transport.aclose()

    def enter_loop(self) -> None:
        """Make the running loop this client's own, if it has none that is alive.

        Raises:
            ClientClosedError: The client is closed.
            ConfigurationError: The client lives in another loop that is still alive.
        """
        self._require_open()
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        if self._loop is not None and self._process != os.getpid():
            # After a fork the connections are the parent's: closing them here would unregister them there.
            self._left_behind.append((self._loop, self._transport))
        elif self._loop is not None and not self._loop.is_closed():
            raise ConfigurationError("the client is used in another event loop: make one client for each loop")
        self._loop, self._process = loop, os.getpid()
        self._tasks = TaskOwner()
        self._gate = Gate(self._limit(), self._rate, self.clock)
        self._transport = Transport(self._wire)

    def _limit(self) -> int:
        return self._adaptive.limit if self._adaptive else self._fixed or 1

    async def _attempts(self, call: Call[T]) -> T:
        try:
            result = await self._attempt(call)
        except AegisError as error:
            first = error
        else:
            if self._buckets:  # somebody has retried
                self._refund(call)
            return result
        self._require_open()
        # The first attempt does without the retry machinery, which costs more than all of ours together.
        retry = Retry(call.options.retry, self.clock, self._bucket(call), _Waits(self, call))
        return await retry.after(first, lambda: self._attempt(call))

    async def _attempt(self, call: Call[T]) -> T:
        if self._watch is None:
            return await self._made(call)
        try:
            result = await self._made(call)
        except BaseException as error:
            self._watch.ended(call, error)
            raise
        self._watch.ended(call, None)
        return result

    async def _made(self, call: Call[T]) -> T:
        gate = self._gate
        timings = call.timings = Timings() if self._watch or self._adaptive else None
        if not gate.try_enter(bulk=call.bulk):
            await self._wait_at(gate, call)
        try:
            total = self._begin(call)
            raw = await self._transport.send(call.request, call.options.timeout, total, timings)
        except RequestError as error:
            raise self._no_answer(error, call) from None
        finally:
            gate.leave(bulk=call.bulk)
        return self._meaning(raw, call)

    async def _wait_at(self, gate: Gate, call: Call[T]) -> None:
        begun = self.clock.monotonic()
        call.phase = "pause" if gate.held else "slot"
        try:
            async with asyncio.timeout(call.deadline.at - begun if call.deadline else None):
                await gate.enter(call)
        except DeadlineExceededError:
            raise
        except TimeoutError:
            late = True
        else:
            late = False
        finally:
            self._count_wait(call, self.clock.monotonic() - begun)
        if late and call.deadline:
            raise call.deadline.error(call.request, call.phase, call.attempts)

    def _count_wait(self, call: Call[T], waited: float) -> None:
        if call.phase == "pause":
            self.counts.waited_pause += waited
        else:
            self.counts.waited_slot += waited
        if call.timings:
            call.timings.slot = waited

    def _begin(self, call: Call[T]) -> float | None:
        """Begin an attempt, and give the seconds left for it where the deadline leaves fewer than its limit."""
        self._require_open()
        left = call.deadline.at - self.clock.monotonic() if call.deadline else math.inf
        if call.deadline and left <= 0:
            raise call.deadline.error(call.request, call.phase, call.attempts)
        call.begin(cut=left < call.options.timeout.attempt)
        self.counts.attempts += 1
        if call.attempts > 1:
            self.counts.retries += 1
        if self._watch:
            self._watch.began(call)
        return left if call.cut else None

    def _no_answer(self, error: RequestError, call: Call[T]) -> AegisError:
        if isinstance(error, RequestTimeoutError):
            if self._adaptive:
                self._learn_refusal(self._adaptive, call)
            if call.cut and call.deadline and error.phase == "attempt":
                return call.deadline.error(call.request, "attempt", call.attempts)
        return self._placed(error, call)

    def _meaning(self, raw: RawResponse, call: Call[T]) -> T:
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s: %d %s", call.request, raw.status, call.which)
        self.counts.size += len(raw.body)
        if self._watch:
            self._watch.answered(call, raw)
        if not raw.ok:
            raise self._refusal(raw, call)
        if self._adaptive:
            self._learn_answer(self._adaptive, call)
        begun = time.monotonic() if call.timings else 0.0
        try:
            return call.decode(raw.body)
        except DecodeError as error:
            fault = error
        finally:
            if call.timings:
                call.timings.decode = time.monotonic() - begun
        fault.args = (f"{fault} ({call.request})",)
        raise self._placed(masked(fault, self._wire.key), call)

    def _refusal(self, raw: RawResponse, call: Call[T]) -> StatusError:
        error = masked(status_error(raw, call.request, self.clock.now()), self._wire.key)
        if error.status in _PAUSING:
            if self._adaptive:
                self._learn_refusal(self._adaptive, call)
            if error.retry_after:
                self._gate.pause(min(error.retry_after, call.options.retry.max_retry_after))
        return self._placed(error, call)

    def _placed(self, error: E, call: Call[T]) -> E:
        """Give ``error`` with the attempt that it ended."""
        error.attempts = call.attempts
        error.args = (f"{error} {call.which}",)
        if isinstance(error, RequestError):
            log.debug("%s", error)
        return error

    def _learn_answer(self, adaptive: AdaptiveLimit, call: Call[T]) -> None:
        latency = (call.timings and call.timings.first_byte) or 0.0
        gate = self._gate
        adaptive.answered(self.clock.monotonic(), latency, gate.busy + 1, wanted=gate.waiting > 0)
        if adaptive.limit != gate.limit:
            gate.limit = adaptive.limit

    def _learn_refusal(self, adaptive: AdaptiveLimit, call: Call[T]) -> None:
        latency = (call.timings and call.timings.first_byte) or 0.0
        adaptive.refused(self.clock.monotonic(), latency)
        self._gate.limit = adaptive.limit

    def _require_open(self) -> None:
        if self._closed:
            raise closed_error()

    def _refund(self, call: Call[T]) -> None:
        budget = call.options.retry.budget
        if budget in self._buckets:
            self._buckets[budget].put()

    def _bucket(self, call: Call[T]) -> Bucket | None:
        budget = call.options.retry.budget
        return self._buckets.setdefault(budget, Bucket(budget)) if budget else None

    def wait_before_retry(self, call: Call[T], error: AegisError, wait: float, *, asked: bool) -> None:
        """Hear of the wait before another attempt, and refuse one that cannot end in time."""
        try:
            call.wait("pause" if asked else "backoff", self.clock.monotonic() + wait)
        except DeadlineExceededError as late:
            raise late from error

    def announce_retry(self, call: Call[T], error: AegisError, wait: float) -> None:
        """Tell whoever listens that another attempt will be made."""
        if call.phase == "pause":
            self.counts.waited_pause += wait
        else:
            self.counts.waited_backoff += wait
        log.warning("%s; next in %.2f s", error, wait)
        if self._watch:
            self._watch.retries(call, error, wait)


class _Waits(Generic[T]):
    """What the session makes of the waits between the attempts of one call."""

    def __init__(self, session: Session, call: Call[T]) -> None:
        self._session = session
        self._call = call

    def check(self, error: AegisError, wait: float, *, asked: bool) -> None:
        self._session.wait_before_retry(self._call, error, wait, asked=asked)

    def begins(self, error: AegisError, wait: float) -> None:
        self._session.announce_retry(self._call, error, wait)


def closed_error() -> ClientClosedError:
    """Give the error of whoever uses a closed client."""
    return ClientClosedError("the client is closed: make a new one")
