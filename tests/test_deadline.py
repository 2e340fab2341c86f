"""Claims about deadlines: one bound over slot, attempts, waits and bodies, and what cannot end in time is not begun."""

import asyncio
import pickle
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

import aegis_async
from aegis_async import AegisClient, Timeout
from aegis_async._hooks import Priority
from aegis_async.errors import (
    ConfigurationError,
    DeadlineExceededError,
    InvalidArgumentError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
)
from aegis_async.sandbox import Sandbox
from tests.conftest import FakeClock
from tests.held import Held, held
from tests.session.wire import KEY, wire


@pytest.fixture
async def server() -> AsyncIterator[Held]:
    async with held() as running:
        yield running


@pytest.fixture
def block_time(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """Let deadline blocks read the same time as the client."""
    monkeypatch.setattr("aegis_async._deadline.time", SimpleNamespace(monotonic=lambda: clock.time))
    return clock


async def test_it_covers_the_wait_for_a_slot(server: Held) -> None:
    """A call that cannot get a slot in time says that it waited for one, and nothing of it reaches the wire."""
    async with AegisClient(KEY, base_url=server.url, max_concurrency=1) as client:
        busy = asyncio.create_task(client.data_collections.get(1))
        await server.came(1)

        with pytest.raises(DeadlineExceededError, match="free slot") as caught:
            await client.with_options(deadline=0.02).data_collections.get(2)
        server.let_go()
        await busy

    assert ("slot", 0.02, 0) == (caught.value.phase, caught.value.seconds, caught.value.attempts)
    assert ["/data-collections/1"] == server.paths


@pytest.mark.parametrize("single_flight", [True, False])
async def test_it_covers_the_attempt_and_its_body(single_flight: bool) -> None:
    """A body that trickles past the deadline ends there, whatever the attempt alone would be allowed."""
    begun = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"
    async with (
        wire(begun) as served,
        AegisClient(KEY, base_url=served.url, single_flight=single_flight) as client,
    ):
        with pytest.raises(DeadlineExceededError, match=r"GET /x: not done within its deadline of 0.03 s") as caught:
            await client.with_options(deadline=0.03).fetch("/x", bytes)

        assert 0 == client.stats().in_flight
    assert ("attempt", 1) == (caught.value.phase, caught.value.attempts)


async def test_the_attempts_own_limit_still_counts() -> None:
    """A limit of the attempt that is nearer than the deadline is a timeout of the attempt."""
    async with wire(None) as served, AegisClient(KEY, base_url=served.url, single_flight=False) as client:
        view = client.with_options(timeout=Timeout(attempt=0.02), deadline=5.0, retry=aegis_async.RetryPolicy(1))
        with pytest.raises(RequestTimeoutError, match=r"not done within 0.02 s \(attempt 1 of 1\)"):
            await view.fetch("/x", bytes)


async def test_a_backoff_that_is_too_long_is_not_begun(sandbox: Sandbox, client: AegisClient, clock: FakeClock) -> None:
    """The error comes at once, names the phase, and has the attempt's own error as its cause."""
    sandbox.fail(status=503, times=9)
    with pytest.raises(DeadlineExceededError, match="next attempt would be longer") as caught:
        await client.with_options(deadline=1.2, priority="bulk").data_collections.get(1)

    assert [0.5] == clock.sleeps  # the wait of one second would have ended after 1.5
    assert ("backoff", 2) == (caught.value.phase, caught.value.attempts)
    assert isinstance(caught.value.__cause__, ServerError)


async def test_a_pause_that_is_too_long_is_not_begun(sandbox: Sandbox, client: AegisClient, clock: FakeClock) -> None:
    """A call that meets a pause beyond its deadline fails without a request, others wait and succeed."""
    sandbox.fail(status=429, retry_after=7)
    with pytest.raises(DeadlineExceededError, match="longer pause") as first:
        await client.with_options(deadline=5, priority="bulk").data_collections.get(1)

    with pytest.raises(DeadlineExceededError, match="longer pause") as second:
        await client.with_options(deadline=5, priority="bulk").data_collections.get(2)

    assert (1, 0) == (first.value.attempts, second.value.attempts)
    assert isinstance(first.value.__cause__, RateLimitError)
    assert "pause" == second.value.phase
    assert 1 == len(sandbox.requests)
    assert 3 == (await client.data_collections.get(3)).id
    assert 7.0 == clock.time


async def test_it_begins_anew_for_each_page(client: AegisClient, clock: FakeClock) -> None:
    """A consumer that takes its time between pages is not counted."""
    ids = []
    async for summary in client.with_options(deadline=2).data_collections.list(page_size=5):
        ids.append(summary.id)
        clock.time += 3

    assert 20 == len(ids)


@pytest.mark.parametrize("priority", ["bulk", "interactive"])
async def test_a_block_is_one_instant_for_all_calls_in_it(
    sandbox: Sandbox, client: AegisClient, block_time: FakeClock, priority: Priority
) -> None:
    """Time that passes between two calls of a block is counted, and a call that comes too late is not sent."""
    async with aegis_async.deadline(2.0):
        await client.data_collections.get(1)
        block_time.time += 3
        with pytest.raises(DeadlineExceededError, match=r"deadline of 2.0 s"):
            await client.with_options(priority=priority).data_collections.get(2)

    assert 1 == client.stats().failed
    assert 1 == len(sandbox.requests)
    assert 3 == (await client.data_collections.get(3)).id


async def test_a_page_fetched_ahead_is_waited_for_until_the_blocks_end(sandbox: Sandbox, client: AegisClient) -> None:
    """A page that was begun before the block does not keep its consumer longer than the block permits."""
    sandbox.fail(delay=0.0)
    sandbox.fail(delay=60.0)
    async with aiter(client.data_collections.list(page_size=5, prefetch=1).pages()) as pages:
        await anext(pages)

        async with asyncio.timeout(5), aegis_async.deadline(0.05):
            with pytest.raises(DeadlineExceededError, match="page 2 of /data-collections"):
                await anext(pages)

    assert 0 == client.stats().in_flight


async def test_a_page_fetched_ahead_does_without_the_deadline_of_its_block(
    client: AegisClient, block_time: FakeClock
) -> None:
    """A page that was begun inside a block and is asked for after it is not bounded by it."""
    async with aiter(client.data_collections.list(page_size=5, prefetch=1).pages()) as pages:
        async with aegis_async.deadline(1.0):
            await anext(pages)
        block_time.time += 3
        rest = [len(page.items) async for page in pages]

    assert [5, 5, 5] == rest


async def test_a_fan_out_is_waited_for_until_the_blocks_end(sandbox: Sandbox, client: AegisClient) -> None:
    """A fan-out that was begun before the block does not keep its consumer longer than the block permits."""
    sandbox.fail("/data-collections/2", delay=60.0)
    async with aiter(client.data_collections.get_many([1, 2])) as values:
        await anext(values)

        async with asyncio.timeout(5), aegis_async.deadline(0.05):
            with pytest.raises(DeadlineExceededError):
                await anext(values)

    assert 0 == client.stats().in_flight


async def test_a_fan_out_keeps_the_deadline_of_the_block_that_it_was_begun_in(
    client: AegisClient, block_time: FakeClock
) -> None:
    """Ids that are asked for after the block are bound by it, as any task that was begun inside is."""
    async with aiter(client.data_collections.get_many(range(1, 21), concurrency=1)) as values:
        async with aegis_async.deadline(1.0):
            assert 1 == (await anext(values)).id
        block_time.time += 3
        with pytest.raises(DeadlineExceededError, match=r"GET /data-collections/\d+: .* deadline of 1.0 s"):
            _ = [full.id async for full in values]


@pytest.mark.parametrize(("outer", "inner"), [(1.0, 9.0), (9.0, 1.0)])
async def test_the_nearer_of_two_blocks_counts(
    client: AegisClient, block_time: FakeClock, outer: float, inner: float
) -> None:
    """An inner block can bring the end nearer, and never put it off."""
    async with aegis_async.deadline(outer), aegis_async.deadline(inner):
        block_time.time += 2
        with pytest.raises(DeadlineExceededError, match=r"deadline of 1.0 s"):
            await client.with_options(priority="bulk").data_collections.get(1)


@pytest.mark.parametrize(("block", "own"), [(1.0, 9.0), (9.0, 1.0)])
async def test_the_nearer_of_block_and_option_counts(block_time: FakeClock, block: float, own: float) -> None:
    """A view's deadline and a block's bound a call together."""
    async with aegis_async.deadline(block):
        nearest = aegis_async._deadline.nearest(own, lambda: block_time.time)

    assert nearest is not None
    assert 1.0 == nearest.seconds


async def test_tasks_inherit_the_block(client: AegisClient, block_time: FakeClock) -> None:
    """A task that is begun inside a block is bound by it after the block is left."""
    go = asyncio.Event()

    async def later() -> Any:
        await go.wait()
        return await client.with_options(priority="bulk").data_collections.get(1)

    async with aegis_async.deadline(2.0):
        task = asyncio.create_task(later())
    block_time.time += 3
    go.set()

    with pytest.raises(DeadlineExceededError):
        await task


async def test_the_callers_own_code_is_never_cancelled(block_time: FakeClock) -> None:
    """What is no call of this package goes on for as long as it likes."""
    steps = 0

    async with aegis_async.deadline(0.001):
        block_time.time += 5
        for _ in range(3):
            await asyncio.sleep(0)
            steps += 1

    assert 3 == steps


async def test_a_block_is_entered_once() -> None:
    """Entering the same block again is a bug of the caller's, and said so."""
    block = aegis_async.deadline(1)
    async with block:
        with pytest.raises(RuntimeError, match="make a new one"):
            async with block:
                pass


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), True, "2"])
def test_what_is_no_time_is_refused(seconds: Any, client_without_loop: AegisClient) -> None:
    """A deadline is a positive finite number, in both of its forms."""
    with pytest.raises(InvalidArgumentError, match="^seconds"):
        aegis_async.deadline(seconds)
    with pytest.raises(ConfigurationError, match="^deadline"):
        client_without_loop.with_options(deadline=seconds)


@pytest.fixture
def client_without_loop() -> AegisClient:
    return AegisClient(KEY)


async def test_its_error_pickles(sandbox: Sandbox, client: AegisClient) -> None:
    """Phase, seconds and attempts survive on their way to another process."""
    sandbox.fail(status=503)
    with pytest.raises(DeadlineExceededError) as caught:
        await client.with_options(deadline=0.1).data_collections.get(1)

    copied = pickle.loads(pickle.dumps(caught.value))

    assert vars(caught.value) == vars(copied)
    assert str(caught.value) == str(copied)
    assert isinstance(copied, TimeoutError)
