"""Claims about what a client asks of the service: lanes, rate, one pause for all, and a budget for retries."""

import asyncio
from typing import Any

import pytest

from aegis_async import AegisClient, Hooks, RateLimit, RetryBudget, RetryPolicy
from aegis_async.errors import AegisError, ConfigurationError, RateLimitError, ServerError
from aegis_async.sandbox import Sandbox
from tests.conftest import FakeClock
from tests.held import held
from tests.session.wire import KEY


async def test_a_get_is_not_queued_behind_an_export() -> None:
    """With a fan-out over ten thousand ids under way, a get is the next on the wire, in the slot kept free."""
    async with held() as server, AegisClient(KEY, base_url=server.url, max_concurrency=4) as client:
        export = asyncio.create_task(client.data_collections.get_many(range(1, 10_001), concurrency=16).collect())
        await server.came(3)

        call = asyncio.create_task(client.data_collections.get(20_000))
        await server.came(4)
        server.let_go()

        assert 20_000 == (await call).id
        assert "/data-collections/20000" == server.paths[3]
        export.cancel()
        await asyncio.wait([export])


async def test_pages_ahead_go_in_the_bulk_lane(sandbox: Sandbox) -> None:
    """A page that somebody waits for is interactive, one that is fetched ahead is not."""
    seen: list[tuple[str, str]] = []
    hooks = Hooks(on_request=lambda event: seen.append((event.url.partition("?")[2], event.priority)))
    async with AegisClient(sandbox.api_key, base_url=sandbox.url, hooks=hooks) as client:
        await client.data_collections.list(page_size=10, prefetch=1).collect()

    assert [("page=1&page_size=10", "interactive"), ("page=2&page_size=10", "bulk")] == seen


async def test_a_pause_holds_every_request_of_the_client(
    sandbox: Sandbox, client: AegisClient, clock: FakeClock
) -> None:
    """After one 429 with Retry-After nothing reaches the service until then, whoever asks."""
    clock.hold = asyncio.Event()
    sandbox.fail(status=429, retry_after=7)
    first = asyncio.create_task(client.data_collections.get(1))
    while not clock.sleeps:
        await asyncio.sleep(0)

    others = [asyncio.create_task(client.data_collections.get(number)) for number in range(2, 12)]
    for _ in range(3):
        await asyncio.sleep(0)
    during = (len(sandbox.requests), client.stats().paused_for)
    clock.hold.set()
    results = await asyncio.gather(first, *others)

    assert (1, 7.0) == during
    assert list(range(1, 12)) == [result.id for result in results]
    assert 7.0 <= clock.time
    assert 12 == len(sandbox.requests)


async def test_a_first_attempt_that_only_waited_has_used_none(sandbox: Sandbox, client: AegisClient) -> None:
    """A call that met a pause still has all of its attempts."""
    client._session.enter_loop()
    client._session._attempts.gate.pause(5)
    sandbox.fail(status=503, times=3)

    assert 1 == (await client.data_collections.get(1)).id
    assert 4 == len(sandbox.requests)


async def test_a_pause_is_no_longer_than_the_longest_retry_after(sandbox: Sandbox, client: AegisClient) -> None:
    """A Retry-After of an hour fails its own call at once, and holds the others for a minute at most."""
    sandbox.fail(status=503, retry_after=3600)
    with pytest.raises(ServerError):
        await client.data_collections.get(1)

    assert 60.0 == client.stats().paused_for
    assert 2 == (await client.data_collections.get(2)).id


@pytest.mark.parametrize("status", [500, 502, 504, 408])
async def test_other_statuses_pause_only_their_own_call(
    sandbox: Sandbox, client: AegisClient, clock: FakeClock, status: int
) -> None:
    """A Retry-After that does not speak of the service as a whole is obeyed by its call alone."""
    sandbox.fail(status=status, retry_after=3)

    await client.data_collections.get(1)

    assert [3.0] == clock.sleeps
    assert 0.0 == client.stats().paused_for


async def test_a_rate_limits_every_attempt(sandbox: Sandbox, clock: FakeClock) -> None:
    """With two requests per second five of them, a retry among them, take two seconds."""
    made = AegisClient(sandbox.api_key, base_url=sandbox.url, rate_limit=2, retry=RetryPolicy(initial=0))
    made._session.clock = clock.as_clock()
    sandbox.fail(status=503)
    async with made as client:
        await client.data_collections.get_many(range(1, 5)).collect()

    assert 5 == len(sandbox.requests)
    assert pytest.approx(2.0) == clock.time


async def test_an_outage_is_not_multiplied(sandbox: Sandbox, clock: FakeClock) -> None:
    """Fifty callers in a loop, two thousand calls against quick 503s: at most 1.2 requests a call at the server."""
    sandbox.fail(status=503, times=10**9)
    made = AegisClient(sandbox.api_key, base_url=sandbox.url, single_flight=False)
    made._session.clock = clock.as_clock()
    errors: list[AegisError] = []

    async def caller(client: AegisClient) -> None:
        for number in range(1, 41):
            try:
                await client.data_collections.get(number)
            except ServerError as error:
                errors.append(error)

    async with made as client:
        await asyncio.gather(*(caller(client) for _ in range(50)))

    assert 2000 == len(errors)
    assert len(sandbox.requests) <= 1.2 * 2000
    assert errors[-1].budget_exhausted
    assert 0 == made.stats().retry_tokens


async def test_a_budget_fills_again_when_the_service_is_back(sandbox: Sandbox, clock: FakeClock) -> None:
    """Successes pay tokens back, so that a later fault is retried again."""
    policy = RetryPolicy(budget=RetryBudget(capacity=5))
    made = AegisClient(sandbox.api_key, base_url=sandbox.url, retry=policy)
    made._session.clock = clock.as_clock()
    async with made as client:
        sandbox.fail(status=503, times=2)
        with pytest.raises(ServerError, match="attempt 2 of 4") as caught:
            await client.data_collections.get(1)
        for number in range(1, 6):
            await client.data_collections.get(number)
        sandbox.fail(status=503)
        await client.data_collections.get(6)

    assert caught.value.budget_exhausted


async def test_a_retry_that_was_asked_for_needs_no_budget(sandbox: Sandbox, clock: FakeClock) -> None:
    """A wait that the service asked for is waited with an empty budget too."""
    made = AegisClient(
        sandbox.api_key, base_url=sandbox.url, retry=RetryPolicy(budget=RetryBudget(capacity=0), max_attempts=2)
    )
    made._session.clock = clock.as_clock()
    sandbox.fail(status=429, retry_after=1, times=2)
    async with made as client:
        with pytest.raises(RateLimitError, match="attempt 2 of 2") as caught:
            await client.data_collections.get(1)

    assert not caught.value.budget_exhausted


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"max_concurrency": "most"}, "max_concurrency"),
        ({"rate_limit": 0}, "rate_limit"),
        ({"rate_limit": float("nan")}, "rate_limit"),
        ({"rate_limit": "5"}, "rate_limit"),
        ({"single_flight": 1}, "single_flight"),
        ({"headers": {"Authorization": "Bearer x"}}, r"headers\['Authorization'\] is not yours to set"),
        ({"headers": {"HOST": "x"}}, r"headers\['HOST'\] is not yours"),
        ({"headers": {"X-Team": "a\r\nb"}}, r"headers\['X-Team'\] holds a character"),
        ({"headers": {"X-Team": 7}}, r"headers\['X-Team'\] must be a string"),
        ({"headers": {"no name": "x"}}, r"headers\['no name'\] is no name"),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, Any], name: str) -> None:
    """A limit or a header that cannot work is a ConfigurationError that names it, and repeats no value."""
    with pytest.raises(ConfigurationError, match=f"^{name}") as caught:
        AegisClient(KEY, **arguments)

    assert "Bearer x" not in str(caught.value)


@pytest.mark.parametrize("arguments", [{"per_second": -1}, {"per_second": 1, "burst": 0}, {"per_second": True}])
def test_a_rate_that_cannot_be_is_refused(arguments: dict[str, Any]) -> None:
    """The bounds of a RateLimit are checked where it is made."""
    with pytest.raises(ConfigurationError, match="^rate_limit"):
        RateLimit(**arguments)


@pytest.mark.parametrize("name", ["capacity", "retry_cost", "timeout_cost", "refund"])
def test_a_budget_that_cannot_be_is_refused(name: str) -> None:
    """The bounds of a RetryBudget are checked where it is made."""
    with pytest.raises(ConfigurationError, match=f"^budget.{name}"):
        RetryBudget(**{name: -1})


def test_a_policy_takes_a_budget_or_none() -> None:
    """Anything else is refused by its name."""
    with pytest.raises(ConfigurationError, match="^retry.budget must be a RetryBudget"):
        RetryPolicy(budget=500)  # type: ignore[arg-type]  # that is the claim
    with pytest.raises(ConfigurationError, match="^priority must be"):
        AegisClient(KEY).with_options(priority="urgent")  # type: ignore[arg-type]  # that is the claim


async def test_two_fan_outs_and_a_listing_share_the_limits_fairly() -> None:
    """While all three are under way, none of them waits for more requests than the others have begun."""

    def whose(path: str) -> str:
        id_ = path.rpartition("/")[2]
        return "listing" if not id_.isdigit() else "first" if int(id_) <= 40 else "second"

    async with (
        Sandbox(collections=80) as sandbox,
        AegisClient(sandbox.api_key, base_url=sandbox.url, max_concurrency=4) as client,
    ):
        collections = client.data_collections
        first, second, listed = await asyncio.gather(
            collections.get_many(range(1, 41), concurrency=6).collect(),
            collections.get_many(range(41, 81), concurrency=6).collect(),
            collections.list(page_size=2, prefetch=3).collect(),
        )

    assert (40, 40, 80) == (len(first), len(second), len(listed))
    order = [whose(request.path) for request in sandbox.requests]
    together = order[: min(len(order) - order[::-1].index(one) for one in ("first", "second", "listing"))]
    windows = [together[at : at + 20] for at in range(len(together) - 19)]
    assert windows
    assert all({"first", "second", "listing"} == set(window) for window in windows)
