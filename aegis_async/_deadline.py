"""Until when a whole call may go on: the caller's own bound, and the one of the block that it is in."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Final, Literal, Self, TypeAlias, TypeVar

import msgspec

from aegis_async._arguments import seconds as _seconds
from aegis_async.errors import DeadlineExceededError, InvalidArgumentError

__all__ = ["Deadline", "Phase", "current", "deadline", "nearest", "within", "without_deadline"]

T = TypeVar("T")
Phase: TypeAlias = Literal["connect", "read", "attempt", "slot", "backoff", "pause"]

_WORDS: Final[dict[str, str]] = {
    "slot": "spent waiting for a free slot of the client",
    "backoff": "the wait before the next attempt would be longer",
    "pause": "the service asked for a longer pause",
    "attempt": "spent on an attempt",
    "connect": "spent on connecting",
    "read": "spent on reading",
}


class Deadline(msgspec.Struct, frozen=True):
    """One instant.

    Attributes:
        at: By the monotonic clock.
        seconds: How far away it was when it was set, for messages.
    """

    at: float
    seconds: float

    def error(self, what: object, phase: Phase, attempts: int) -> DeadlineExceededError:
        """Give the error of a call that cannot end in time."""
        text = f"{what}: not done within its deadline of {self.seconds} s: {_WORDS[phase]} (attempts made: {attempts})"
        return DeadlineExceededError(text, phase=phase, seconds=self.seconds, attempts=attempts)


_AMBIENT: Final[ContextVar[Deadline | None]] = ContextVar("aegis_async.deadline", default=None)


def current() -> Deadline | None:
    """Give the block's instant, None outside of any."""
    return _AMBIENT.get()


def nearest(own: float | None, monotonic: Callable[[], float]) -> Deadline | None:
    """Give the nearer of ``own`` seconds from now and the block's instant, None where there is neither."""
    ambient = current()
    if own is None:
        return ambient
    mine = Deadline(monotonic() + own, own)
    return mine if ambient is None or mine.at < ambient.at else ambient


def without_deadline() -> None:
    """Drop the block's deadline in the running task: for work that outlives the call which began it."""
    _AMBIENT.set(None)


async def within(wait: Awaitable[T], what: str) -> T:
    """Wait for what was begun outside of the running task, no longer than the block permits.

    Raises:
        DeadlineExceededError: The block's instant came first.
    """
    ambient = current()
    if ambient is None:
        return await wait
    scope = asyncio.timeout(ambient.at - time.monotonic())
    try:
        async with scope:
            return await wait
    except TimeoutError:
        if not scope.expired():  # an error of the other's own
            raise
    raise ambient.error(what, "attempt", 0)


class deadline:  # noqa: N801 - reads as the statement it is
    """Bound every call of this package inside the block by one instant, however deep in somebody's code it is made.

    The instant is set when the block is entered. Tasks that are begun inside inherit it, and of several deadlines
    the nearest counts. An attempt or a wait that cannot end in time is not begun. Only calls of this package are
    bounded: your own code is never cancelled, and a call that ended in time keeps its result.

    Args:
        seconds: From the entry of the block, more than zero.

    Raises:
        InvalidArgumentError: ``seconds`` is no positive number.
        DeadlineExceededError: Inside the block, by a call that cannot end in time.

    Example:
        ::

            async with aegis_async.deadline(2.0):
                full = await client.data_collections.get(14)
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = _seconds("seconds", seconds, error=InvalidArgumentError)
        self._token: Token[Deadline | None] | None = None

    async def __aenter__(self) -> Self:
        if self._token is not None:
            raise RuntimeError("a deadline block is entered once: make a new one")
        self._token = _AMBIENT.set(nearest(self._seconds, time.monotonic))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _AMBIENT.reset(self._token)
