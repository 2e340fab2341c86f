"""A sandbox that allows each key so many requests a second."""

import asyncio

import pytest

from aegis_async import AegisClient, RetryPolicy
from aegis_async.errors import RateLimitError
from aegis_async.sandbox import Sandbox
from aegis_async.sandbox._allowance import Allowance


def test_a_seconds_worth_may_come_at_once() -> None:
    """The bucket is full at first, and then fills evenly, for each key by itself."""
    now = [100.0]
    allowance = Allowance(4, clock=lambda: now[0])

    assert [0.0] * 4 == [allowance.wait("one") for _ in range(4)]
    assert 0.25 == pytest.approx(allowance.wait("one"))
    assert 0.0 == allowance.wait("another")
    now[0] += 0.25
    assert 0.0 == allowance.wait("one")
    assert 0.25 == pytest.approx(allowance.wait("one"))


def test_a_rate_below_one_a_second_allows_one_at_a_time() -> None:
    """A bucket always holds one request."""
    now = [0.0]
    allowance = Allowance(0.5, clock=lambda: now[0])

    assert 0.0 == allowance.wait("one")
    assert 2.0 == pytest.approx(allowance.wait("one"))
    now[0] += 2.0
    assert 0.0 == allowance.wait("one")


@pytest.mark.parametrize("rate", [0, -1, float("inf"), True])
def test_a_rate_is_a_positive_number(rate: float) -> None:
    """What is no rate is refused."""
    with pytest.raises(ValueError, match="rate must be"):
        Sandbox(rate=rate)


async def test_what_is_too_much_is_refused_with_a_wait() -> None:
    """Beyond the rate a 429 says after how many seconds to come again, and other keys are served."""
    once = RetryPolicy(max_attempts=1)
    async with Sandbox(rate=1, collections=1) as sandbox:
        async with AegisClient(sandbox.api_key, base_url=sandbox.url, retry=once, single_flight=False) as client:
            results = await asyncio.gather(*(client.ping() for _ in range(3)), return_exceptions=True)
        async with AegisClient(sandbox.solo_api_key, base_url=sandbox.url, retry=once) as other:
            await other.ping()
        statuses = [request.status for request in sandbox.requests]

    refused = [error for error in results if isinstance(error, RateLimitError)]
    assert [200, 429, 429, 200] == statuses
    assert [1.0, 1.0] == [error.retry_after for error in refused]
