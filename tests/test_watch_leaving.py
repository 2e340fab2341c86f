"""Claims about the end of a watch: whoever closes it, whoever waits meanwhile, and nothing of it is left."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from aegis_async import AegisClient, Changed, RetryPolicy, deadline
from aegis_async._resources import Watch
from aegis_async.errors import ClientClosedError, DeadlineExceededError
from aegis_async.models import DataCollectionSummary
from aegis_async.sandbox import Sandbox
from tests.conftest import FakeClock
from tests.test_watch import told, waits

Watching = Watch[DataCollectionSummary]


@pytest.fixture
async def watcher(small: Sandbox, clock: FakeClock) -> AsyncIterator[AegisClient]:
    made = AegisClient(small.api_key, base_url=small.url, retry=RetryPolicy(max_attempts=1))
    made._session.clock = clock.as_clock()
    async with made:
        yield made


async def ids(watch: Watching) -> list[int]:
    """Give the ids of every change until the watch ends."""
    return [change.id async for change in watch]


async def on_the_wire(client: AegisClient) -> None:
    """Let the loop turn until a request is on the wire."""
    while not client.stats().in_flight:
        await asyncio.sleep(0)


async def test_closing_ends_the_wait_between_two_polls(watcher: AegisClient, clock: FakeClock) -> None:
    """A loop that waits in another task ends cleanly, without having waited for the interval."""
    clock.hold = asyncio.Event()
    watch = watcher.data_collections.watch()
    loop = asyncio.create_task(ids(watch))
    await waits(clock, 1)

    await watch.aclose()
    await watch.aclose()

    assert {1, 2, 3} == set(await loop)
    assert not watcher._session.tasks()._tasks


async def test_closing_ends_a_poll_under_way(small: Sandbox, watcher: AegisClient) -> None:
    """The request is gone from the wire when it returns, and the loop ends cleanly."""
    small.fail(delay=60.0)
    watch = watcher.data_collections.watch()
    loop = asyncio.create_task(ids(watch))
    await on_the_wire(watcher)

    await watch.aclose()

    assert 0 == watcher.stats().in_flight
    assert [] == await loop
    assert watch.failure is None


async def test_leaving_the_block_ends_a_loop_in_another_task(watcher: AegisClient, clock: FakeClock) -> None:
    """The end of ``async with`` is the same as closing it."""
    clock.hold = asyncio.Event()
    async with watcher.data_collections.watch() as watch:
        loop = asyncio.create_task(ids(watch))
        await waits(clock, 1)

    assert {1, 2, 3} == set(await loop)


async def test_a_cancellation_is_not_taken_for_the_end(watcher: AegisClient, clock: FakeClock) -> None:
    """A loop that is cancelled while the watch is closed is cancelled."""
    clock.hold = asyncio.Event()
    watch = watcher.data_collections.watch()
    loop = asyncio.create_task(ids(watch))
    await waits(clock, 1)

    loop.cancel()
    await watch.aclose()

    with pytest.raises(asyncio.CancelledError):
        await loop


async def test_a_step_that_was_cancelled_is_taken_anew(small: Sandbox, watcher: AegisClient, clock: FakeClock) -> None:
    """Who cancels one step and takes another goes on where it was."""
    watch = watcher.data_collections.watch()
    await told(watch, 3)
    clock.hold = asyncio.Event()
    step = asyncio.ensure_future(anext(watch))
    await waits(clock, 1)
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step

    clock.hold = None
    small.change(2)
    (change,) = await told(watch, 1)

    assert (Changed, 2) == (type(change), change.id)


async def test_two_who_wait_for_one_watch_share_its_changes(small: Sandbox, watcher: AegisClient) -> None:
    """Each change goes to one of them, and none is told twice."""
    watch = watcher.data_collections.watch()

    first = await asyncio.gather(*(anext(watch) for _ in range(3)))
    small.change(1)
    (last,) = await told(watch, 1)

    assert [1, 2, 3] == sorted(change.id for change in first)
    assert (Changed, 1) == (type(last), last.id)


async def test_closing_ends_all_who_wait(watcher: AegisClient, clock: FakeClock) -> None:
    """However many loops there are, each ends cleanly."""
    clock.hold = asyncio.Event()
    watch = watcher.data_collections.watch()
    loops = [asyncio.create_task(ids(watch)) for _ in range(3)]
    await waits(clock, 1)

    await watch.aclose()

    assert {1, 2, 3} == {id_ for each in await asyncio.gather(*loops) for id_ in each}


async def test_the_clients_end_ends_the_wait_between_two_polls(watcher: AegisClient, clock: FakeClock) -> None:
    """A loop that waits gets the client's error at once, not after the interval."""
    clock.hold = asyncio.Event()
    loop = asyncio.create_task(ids(watcher.data_collections.watch()))
    await waits(clock, 1)

    await watcher.aclose()

    with pytest.raises(ClientClosedError):
        await loop


async def test_a_deadline_bounds_the_wait_for_a_change(watcher: AegisClient, clock: FakeClock) -> None:
    """In a deadline block the next poll is not waited for if it would come too late; afterwards it goes on."""
    clock.time = asyncio.get_running_loop().time()  # a block counts by the real clock
    watch = watcher.data_collections.watch(interval=30)
    await told(watch, 3)

    with pytest.raises(DeadlineExceededError) as caught:
        async with deadline(20):
            await anext(watch)

    assert ("backoff", 20) == (caught.value.phase, caught.value.seconds)
    assert [] == clock.sleeps
