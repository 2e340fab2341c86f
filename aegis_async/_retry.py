"""When a failed attempt is made again, and after how long: plain functions of plain values."""

import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Protocol, TypeVar, cast

from tenacity import AsyncRetrying, RetryCallState

from aegis_async._clock import Clock
from aegis_async._config import RetryPolicy
from aegis_async._limits import Bucket
from aegis_async.errors import (
    AegisError,
    APIConnectionError,
    DecodeError,
    RequestTimeoutError,
    StatusError,
)

__all__ = ["RETRIED_STATUSES", "Retry", "Waits", "retry_after"]

T = TypeVar("T")

RETRIED_STATUSES: Final = frozenset({408, 429, 500, 502, 503, 504})  # 501 will not change its mind
# ASCII digits only: float() would also take "inf", "1_000" and digits of other scripts.
_SECONDS: Final = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,18})?")


def retry_after(values: Iterable[str], date: str | None, now: datetime) -> float | None:
    """Give the seconds that ``Retry-After`` asks for, or None.

    The longest of several headers counts. A date is measured against the service's own ``Date``, so that a clock
    that is wrong on either side does not matter; one in the past asks for nothing more (0.0). What is neither a
    plain number nor a date asks for nothing.

    Args:
        values: Every ``Retry-After`` of the answer.
        date: Its ``Date``, if it has one.
        now: The local time, used where ``date`` does not parse.
    """
    waits = [wait for value in values if (wait := _wait(value.strip(), date, now)) is not None]
    return max(waits, default=None)


def _wait(value: str, date: str | None, now: datetime) -> float | None:
    if _SECONDS.fullmatch(value):
        return float(value)
    then = _instant(value)
    if then is None:
        return None
    return max(0.0, (then - (_instant(date or "") or now)).total_seconds())


def _instant(value: str) -> datetime | None:
    try:
        instant = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # no date, or one beyond the year 9999
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


class Waits(Protocol):
    """Whoever must know of the waits between a call's attempts."""

    def check(self, error: AegisError, wait: float, *, asked: bool) -> None:
        """Refuse, by raising, a wait of so many seconds; ``asked`` tells whether the service asked for it."""

    def begins(self, error: AegisError, wait: float) -> None:
        """Hear that the wait begins."""


class Retry:
    """One call's retries. The first attempt is made outside; only its failure comes here.

    Args:
        policy: The limits.
        clock: Sleep and chance.
        bucket: What is left for retries; None sets no bound.
        waits: Told of each wait before it begins.
    """

    def __init__(self, policy: RetryPolicy, clock: Clock, bucket: Bucket | None, waits: Waits) -> None:
        self._policy = policy
        self._clock = clock
        self._bucket = bucket
        self._waits = waits
        self._broke_off = 0
        self._paid = 0

    async def after(self, first: AegisError, again: Callable[[], Awaitable[T]]) -> T:
        """Go on after ``first``, the failure of attempt 1, with attempts 2, 3, … made by ``again``.

        Raises:
            AegisError: The last attempt's own error, when no further attempt may be made.
        """
        fresh = True

        async def made() -> T:
            nonlocal fresh
            if fresh:
                fresh = False
                raise first
            return await again()

        retrying = AsyncRetrying(
            retry=self._may_retry,
            stop=self._must_stop,
            wait=self._next_wait,
            sleep=self._clock.sleep,
            before_sleep=self._announce,
            reraise=True,
        )
        result: T = await retrying(made)
        first.__traceback__ = None  # its frames hold the result, and it is one of theirs: a cycle
        if self._bucket is not None:
            self._bucket.put(self._paid)
        return result

    def _may_retry(self, state: RetryCallState) -> bool:
        error = _error(state)
        if isinstance(error, DecodeError) and error.truncated:
            self._broke_off += 1
            return self._broke_off == 1
        if isinstance(error, StatusError):
            return error.status in RETRIED_STATUSES
        return isinstance(error, APIConnectionError | RequestTimeoutError)

    def _must_stop(self, state: RetryCallState) -> bool:
        error = _error(state)
        if state.attempt_number >= self._policy.max_attempts or not isinstance(error, AegisError):
            return True
        asked = _asked(error)
        if asked is not None and asked > self._policy.max_retry_after:
            return True
        self._waits.check(error, state.upcoming_sleep, asked=bool(asked))
        self._paid = 0
        return not asked and not self._pay(error)

    def _pay(self, error: AegisError) -> bool:
        if self._bucket is None:
            return True
        taken = self._bucket.take(timeout=isinstance(error, RequestTimeoutError))
        error.budget_exhausted = taken is None
        self._paid = taken or 0
        return taken is not None

    def _next_wait(self, state: RetryCallState) -> float:
        bound = min(self._policy.maximum, self._policy.initial * 2.0 ** min(state.attempt_number - 1, 64))
        # "Retry-After: 0" forbids nothing, and everybody coming back at once helps nobody.
        return _asked(_error(state)) or bound * self._clock.random()

    def _announce(self, state: RetryCallState) -> None:
        error = cast("AegisError", _error(state))  # anything else has stopped it
        self._waits.begins(error, state.upcoming_sleep)


def _asked(error: BaseException | None) -> float | None:
    return error.retry_after if isinstance(error, StatusError) else None


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None
