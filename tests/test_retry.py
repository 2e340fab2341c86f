"""Claims about when a failed attempt is made again, and after how long."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_async._clock import Clock
from aegis_async._config import RetryBudget, RetryPolicy
from aegis_async._limits import Bucket
from aegis_async._retry import RETRIED_STATUSES, Retry, retry_after
from aegis_async.errors import (
    AegisError,
    APIConnectionError,
    AuthenticationError,
    DecodeError,
    PaginationError,
    RateLimitError,
    RequestError,
    RequestTimeoutError,
    ServerError,
    StatusError,
)

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


class Story:
    """A call whose attempts fail as told, in a time that passes only by waiting."""

    def __init__(
        self, *errors: AegisError, policy: RetryPolicy | None = None, random: float = 1.0, bucket: Bucket | None = None
    ) -> None:
        self.waits: list[float] = []
        self.announced: list[tuple[str, float]] = []
        self.checked: list[tuple[str, float, bool]] = []
        self._errors = errors
        self._made = 1
        self._retry = Retry(policy or RetryPolicy(), Clock(sleep=self._sleep, random=lambda: random), bucket, self)

    async def outcome(self) -> str | AegisError:
        """Give the error that came out, or how many attempts it took."""
        try:
            return await self._retry.after(self._errors[0], self._attempt)
        except AegisError as error:
            return error

    def check(self, error: AegisError, wait: float, *, asked: bool) -> None:
        """Note a wait that is wanted, and who asked for it."""
        self.checked.append((str(error), wait, asked))

    def begins(self, error: AegisError, wait: float) -> None:
        """Note a wait that begins."""
        self.announced.append((str(error), wait))

    async def _attempt(self) -> str:
        self._made += 1
        number = self._made
        if number <= len(self._errors):
            raise self._errors[number - 1]
        return f"attempt {number}"

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def truncated() -> DecodeError:
    """Give the error of a 200 whose JSON breaks off."""
    error = DecodeError("breaks off")
    error.truncated = True
    return error


@pytest.mark.parametrize(
    "error",
    [
        APIConnectionError("reset"),
        RequestTimeoutError("late"),
        *(StatusError("no", status=status) for status in sorted(RETRIED_STATUSES)),
        truncated(),
    ],
    ids=str,
)
async def test_what_may_pass_is_tried_again(error: AegisError) -> None:
    """Connection faults, timeouts, the transient statuses and one broken-off JSON get another attempt."""
    story = Story(error)

    assert "attempt 2" == await story.outcome()


@pytest.mark.parametrize(
    "error",
    [
        *(StatusError("no", status=status) for status in (300, 401, 402, 403, 404, 409, 422, 501, 505)),
        DecodeError("wrong shape"),
        RequestError("too large"),
        PaginationError("contradiction"),
    ],
    ids=repr,
)
async def test_what_will_not_pass_is_not_tried_again(error: AegisError) -> None:
    """A refusal, a wrong shape and a body too large come at once, without a wait."""
    story = Story(error)

    assert error is await story.outcome()
    assert [] == story.waits


async def test_attempts_count_the_first() -> None:
    """With four attempts allowed there are three waits, and the last attempt's own error comes out."""
    errors = [ServerError(f"attempt {n}", status=503) for n in range(1, 6)]
    story = Story(*errors)

    assert errors[3] is await story.outcome()
    assert 3 == len(story.waits)


async def test_one_attempt_turns_retries_off() -> None:
    """A policy of one attempt raises the first error without a wait."""
    error = ServerError("down", status=503)
    story = Story(error, policy=RetryPolicy(max_attempts=1))

    assert error is await story.outcome()
    assert [] == story.waits


async def test_the_bound_of_the_backoff_doubles_up_to_its_maximum() -> None:
    """The drawn wait lies under 0.5, 1, 2, 4, 8, 8 seconds when chance takes the most."""
    errors = [APIConnectionError("down")] * 6
    story = Story(*errors, policy=RetryPolicy(max_attempts=7))

    await story.outcome()

    assert [0.5, 1.0, 2.0, 4.0, 8.0, 8.0] == story.waits


@given(
    random=st.floats(0, 1, exclude_max=True),
    initial=st.floats(0, 1e3),
    maximum=st.floats(0, 1e3),
    attempts=st.integers(2, 80),
)
def test_jitter_is_full(random: float, initial: float, maximum: float, attempts: int) -> None:
    """Every wait is the drawn share of a bound that never passes the maximum, however many attempts there are."""
    policy = RetryPolicy(max_attempts=attempts, initial=initial, maximum=maximum)
    story = Story(*[APIConnectionError("down")] * attempts, policy=policy, random=random)

    asyncio.run(story.outcome())

    assert attempts - 1 == len(story.waits)
    assert story.waits[0] == random * min(initial, maximum)
    assert all(0 <= wait <= maximum for wait in story.waits)


async def test_retry_after_wins_over_backoff() -> None:
    """A wait that the service asked for is waited to the second, not the computed backoff."""
    story = Story(RateLimitError("slow down", status=429, retry_after=7.0))

    assert "attempt 2" == await story.outcome()
    assert [7.0] == story.waits


async def test_a_retry_after_of_zero_leaves_the_backoff() -> None:
    """A service that asks for no wait is still not asked again at once by everybody."""
    story = Story(ServerError("busy", status=503, retry_after=0.0))

    await story.outcome()

    assert [0.5] == story.waits


async def test_a_retry_after_above_the_maximum_is_not_waited_for() -> None:
    """A wait longer than ``max_retry_after`` gives the error at once, never an earlier attempt."""
    error = RateLimitError("tomorrow", status=429, retry_after=60.1)
    story = Story(error)

    assert error is await story.outcome()
    assert [] == story.waits


async def test_a_json_that_breaks_off_twice_is_not_tried_a_third_time() -> None:
    """A 200 whose JSON breaks off is retried once; the second time it is the answer."""
    errors = [truncated(), truncated(), truncated()]
    story = Story(*errors)

    assert errors[1] is await story.outcome()
    assert 1 == len(story.waits)


async def test_each_wait_is_announced_before_it_begins() -> None:
    """Whoever listens learns the error and the wait."""
    story = Story(APIConnectionError("reset"), ServerError("busy", status=503, retry_after=2.0))

    await story.outcome()

    assert [("reset", 0.5), ("busy", 2.0)] == story.announced


async def test_cancellation_during_a_wait_passes_through() -> None:
    """A wait that is cancelled ends at once and begins no further attempt."""

    async def sleep(_seconds: float) -> None:
        raise asyncio.CancelledError

    attempts: list[int] = []

    async def again() -> None:
        attempts.append(2)

    retry = Retry(RetryPolicy(), Clock(sleep=sleep), None, Story())

    with pytest.raises(asyncio.CancelledError):
        await retry.after(APIConnectionError("reset"), again)
    assert [] == attempts


async def test_an_error_of_another_kind_passes_through() -> None:
    """A bug in an attempt is not retried and not wrapped."""

    async def again() -> None:
        raise KeyError("bug")

    retry = Retry(RetryPolicy(initial=0), Clock(), None, Story())

    with pytest.raises(KeyError, match="bug"):
        await retry.after(APIConnectionError("reset"), again)


async def test_the_error_that_comes_out_has_no_context() -> None:
    """The last error stands alone: nothing of the retry machinery hangs on it."""
    error = AuthenticationError("refused", status=401)
    story = Story(APIConnectionError("reset"), error)

    assert error is await story.outcome()
    assert (None, None) == (error.__context__, error.__cause__)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], None),
        (["7"], 7.0),
        ([" 7 "], 7.0),
        (["0"], 0.0),
        (["1.5"], 1.5),
        (["007"], 7.0),
        (["3", "9", "5"], 9.0),
        (["", "4"], 4.0),
        ([""], None),
        (["inf"], None),
        (["nan"], None),
        (["1_000"], None),
        (["١٢"], None),
        (["-1"], None),
        (["1e3"], None),
        (["0x10"], None),
        (["soon"], None),
        (["9" * 400], None),
        (["999999999999999999"], 1e18),
        (["Tue, 24 Nov 2026 12:00:30 GMT"], 30.0),
        (["Tue, 24 Nov 2026 11:59:30 GMT"], 0.0),
        (["Tuesday, 24-Nov-26 12:00:30 GMT"], 30.0),
        (["Tue Nov 24 12:00:30 2026"], 30.0),
        (["Tue, 24 Nov 2026 12:00:30 -0000"], 30.0),
        (["Tue, 24 Nov 100000 12:00:30 GMT"], None),
        (["Tue, 24 Nov 2026 25:00:30 GMT"], None),
        (["Tue, 24 Nov 2026 12:00:30 +9999"], None),
    ],
)
def test_retry_after_has_one_grammar(values: Sequence[str], expected: float | None) -> None:
    """Plain seconds and dates count, the longest wins, and anything else asks for nothing."""
    assert expected == retry_after(values, None, NOW)


def test_a_date_is_measured_against_the_services_own_clock() -> None:
    """A service whose clock is an hour fast still gets exactly the wait it asked for."""
    fast = NOW + timedelta(hours=1)
    asked = format_datetime(fast + timedelta(seconds=20), usegmt=True)

    assert 20.0 == retry_after([asked], format_datetime(fast, usegmt=True), NOW)


def test_a_date_header_that_is_none_leaves_the_local_clock() -> None:
    """A Date that cannot be read does not spoil a Retry-After that can."""
    assert 30.0 == retry_after(["Tue, 24 Nov 2026 12:00:30 GMT"], "yesterday", NOW)


@given(st.lists(st.text(), max_size=3), st.none() | st.text())
def test_no_header_breaks_the_grammar(values: list[str], date: str | None) -> None:
    """Any text at all gives None or a finite wait of zero or more."""
    wait = retry_after(values, date, NOW)

    assert wait is None or 0 <= wait < float("inf")


@given(st.datetimes(datetime(1990, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001 - hypothesis wants plain bounds
def test_a_date_never_gives_less_than_it_asks(then: datetime) -> None:
    """A date gives the seconds until then, or zero when it has passed."""
    then = then.replace(tzinfo=UTC, microsecond=0)

    assert max(0.0, (then - NOW).total_seconds()) == retry_after([format_datetime(then, usegmt=True)], None, NOW)


async def test_an_empty_budget_raises_the_attempts_own_error_at_once() -> None:
    """With too few tokens there is no wait and no attempt: the error comes as it is, and says why."""
    bucket = Bucket(RetryBudget(capacity=7))
    story = Story(*[ServerError("down", status=503)] * 3, bucket=bucket)

    error = await story.outcome()

    assert isinstance(error, ServerError)
    assert error.budget_exhausted
    assert [0.5] == story.waits
    assert 2 == bucket.tokens


async def test_a_retry_after_a_timeout_costs_twice() -> None:
    """A timeout has held the service for longest, so its retry takes more of the budget."""
    bucket = Bucket(RetryBudget())
    slow = RequestTimeoutError("slow")
    await Story(slow, slow, PaginationError("bug"), bucket=bucket).outcome()

    assert 480 == bucket.tokens


async def test_a_wait_that_the_service_asked_for_costs_nothing() -> None:
    """A retry after Retry-After is made with an empty bucket too."""
    bucket = Bucket(RetryBudget(capacity=0))
    story = Story(RateLimitError("slow down", status=429, retry_after=3.0), bucket=bucket)

    assert "attempt 2" == await story.outcome()
    assert [("slow down", 3.0, True)] == story.checked


async def test_a_retry_that_succeeds_gives_back_what_it_took() -> None:
    """The last retry's tokens come back, those of the failed ones before it do not."""
    bucket = Bucket(RetryBudget())
    await Story(ServerError("down", status=503), ServerError("down", status=503), bucket=bucket).outcome()

    assert 495 == bucket.tokens


async def test_a_retry_that_cost_nothing_gives_nothing_back() -> None:
    """Where the last retry was one that the service asked for, what an earlier one took stays taken."""
    bucket = Bucket(RetryBudget())
    asked = RateLimitError("slow down", status=429, retry_after=3.0)

    await Story(ServerError("down", status=503), asked, bucket=bucket).outcome()
    both = bucket.tokens
    await Story(asked, bucket=bucket).outcome()

    assert (495, 495) == (both, bucket.tokens)


def test_a_call_that_needs_no_retry_pays_one_token_back() -> None:
    """A success at the first attempt refills the bucket by one, never above its capacity."""
    bucket = Bucket(RetryBudget(capacity=10))
    bucket.take(timeout=False)

    for _ in range(7):
        bucket.put()

    assert 10 == bucket.tokens
