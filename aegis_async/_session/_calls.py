"""The calls of one client: as many attempts as each takes and may take."""

import asyncio
import logging
import os
from collections.abc import Awaitable
from typing import Final, Generic, Literal, TypeVar

import msgspec

from aegis_async._clock import Clock
from aegis_async._config import RateLimit, RetryBudget
from aegis_async._deadline import nearest
from aegis_async._hooks import Hooks
from aegis_async._limits import AdaptiveLimit, Budgets, Gate
from aegis_async._retry import Retry
from aegis_async._session._attempts import Attempts, closed_error
from aegis_async._session._call import Call
from aegis_async._session._stats import ClientStats, Counts
from aegis_async._session._status import masked
from aegis_async._session._transport import Transport, Wire
from aegis_async._session._watch import Watch
from aegis_async._tasks import TaskOwner, finish
from aegis_async.errors import AegisError, ConfigurationError, DeadlineExceededError, DecodeError

__all__ = ["Limits", "Session"]

T = TypeVar("T")

log: Final = logging.getLogger("aegis_async")


class Limits(msgspec.Struct, frozen=True):
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
        self._concurrency = AdaptiveLimit() if limits.concurrency == "auto" else limits.concurrency
        self.clock: Clock = clock
        self.counts: Counts = Counts()
        self._watch = Watch(hooks, wire.key) if hooks else None
        self._budgets = Budgets()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0
        self._left_behind: list[object] = []
        self._closing: asyncio.Lock
        self._tasks: TaskOwner
        self._transport: Transport
        self._attempts: Attempts

    @property
    def closed(self) -> bool:
        """Whether ``aclose()`` was called."""
        return self._closed

    @property
    def opened(self) -> bool:
        """Whether there is anything to close: a call was made, and no ``aclose()`` since."""
        return self._loop is not None and not self._closed

    def gate(self) -> Gate:
        """Give the gate that every attempt in this loop passes.

        Raises:
            ClientClosedError: The client is closed.
            ConfigurationError: The client lives in another loop that is still alive.
        """
        self.enter_loop()
        return self._attempts.gate

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
        gate = self._attempts.gate if self._loop is not None else self._new_gate()
        return ClientStats(
            **msgspec.structs.asdict(self.counts),
            in_flight=gate.busy,
            waiting=gate.waiting,
            limit=gate.limit,
            paused_for=gate.paused_for,
            retry_tokens=self._budgets.tokens(budget),
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
            result = await self._attempt(call)
        except AegisError as error:
            first = error
        except BaseException as error:
            self._failed(call, error)
            raise
        else:
            self.counts.succeeded += 1
            self._budgets.refund(call.options.retry.budget)
            return result
        return await self._repeated(call, first)

    def mask(self, error: DecodeError) -> None:
        """Mask the key in the error of somebody who decodes a part of an answer by itself."""
        masked(error, self._wire.key)

    async def rest(self, seconds: float) -> None:
        """Wait as a task of the client's, so that its end is the end of the wait.

        Raises:
            ClientClosedError: The client is closed, or was while this waited.
        """
        rest = self.tasks().start(_slept(self.clock, seconds))
        try:
            await asyncio.wait([rest])
        finally:
            await finish(rest)
        self._require_open()

    async def aclose(self) -> None:
        """End every task and connection; calling it again does nothing."""
        self._closed = True
        if self._loop is not None:
            self._attempts.closed = True
        if self._loop is asyncio.get_running_loop():
            self._attempts.gate.close(closed_error)
            async with self._closing:
                try:
                    await self._tasks.aclose()
                finally:
                    await self._transport.aclose()

    def enter_loop(self) -> None:
        """Make the running loop this client's own, if it has none that is alive.

        Raises:
            ClientClosedError: The client is closed.
            ConfigurationError: It lives in another loop that is still alive; or the environment's proxy is none.
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
        transport = Transport(self._wire)  # first, since it refuses a proxy of the environment that cannot be
        self._loop, self._process = loop, os.getpid()
        self._closing = asyncio.Lock()
        self._tasks = TaskOwner()
        self._transport = transport
        self._attempts = Attempts(self._new_gate(), transport, self.clock, self.counts, self._watch)

    def _new_gate(self) -> Gate:
        return Gate(self._concurrency, self._rate, self.clock)

    def _attempt(self, call: Call[T]) -> Awaitable[T]:
        return self._attempts.watched(call, self._watch) if self._watch else self._attempts.make(call)

    async def _repeated(self, call: Call[T], first: AegisError) -> T:
        """Go on after the first attempt, which does without the retry machinery: that costs more than all of ours."""
        policy = call.options.retry
        try:
            self._require_open()
            clock = msgspec.structs.replace(self.clock, sleep=self.rest)
            retry = Retry(policy, clock, self._budgets.of(policy.budget), _Waits(self, call))
            result = await retry.after(first, lambda: self._attempt(call))
        except BaseException as error:
            self._failed(call, error)
            raise
        self.counts.succeeded += 1
        return result

    def _failed(self, call: Call[T], error: BaseException) -> None:
        self.counts.failed += 1
        if self._watch:
            self._watch.gave_up(call, error)

    def _require_open(self) -> None:
        if self._closed:
            raise closed_error()

    def wait_before_retry(self, call: Call[T], error: AegisError, wait: float, *, asked: bool) -> None:
        """Hear of the wait before another attempt, and refuse one that cannot end in time or outlives the client."""
        self._require_open()
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


async def _slept(clock: Clock, seconds: float) -> None:
    await clock.sleep(seconds)
