"""Claims about leaving a fan-out over a real server: in every way, no task and no connection stays behind."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from aegis_async import AegisClient, FanOut
from aegis_async.errors import ClientClosedError, NotFoundError
from aegis_async.models import DataCollection
from aegis_async.sandbox import Sandbox
from tests.conftest import TURNS


def left(client: AegisClient) -> tuple[int, int]:
    """Give how many tasks and how many checked-out connections a client has."""
    session: Any = client._session._transport._session
    return len(client._session.tasks()._tasks), len(session.connector._acquired)


async def ids_for_ever() -> AsyncIterator[int]:
    """Give the ids 1 to 20 again and again."""
    while True:
        for id_ in range(1, 21):
            yield id_


def endless(client: AegisClient) -> FanOut[DataCollection]:
    """Give a fan-out that never ends by itself."""
    return client.data_collections.get_many(ids_for_ever(), concurrency=4)


async def by_exhaustion(client: AegisClient) -> None:
    """Take everything."""
    assert 20 == len(await client.data_collections.get_many(range(1, 21)).collect())


async def by_an_error(client: AegisClient) -> None:
    """Meet an id that is not there."""
    with pytest.raises(NotFoundError):
        await client.data_collections.get_many([1, 2, 999, 4, 5, 6, 7]).collect()


async def by_aclose(client: AegisClient) -> None:
    """Close the iterator."""
    values = aiter(endless(client))
    await anext(values)
    await values.aclose()


async def by_async_with(client: AegisClient) -> None:
    """Leave the block that holds the iterator."""
    async with aiter(endless(client)) as values:
        await anext(values)


async def by_async_with_of_outcomes(client: AegisClient) -> None:
    """Leave the block that holds the iterator of outcomes."""
    async with endless(client).outcomes() as outcomes:
        await anext(outcomes)


async def by_an_exception_in_the_block(client: AegisClient) -> None:
    """Fail in the caller's own code."""
    with pytest.raises(ZeroDivisionError):
        async with aiter(endless(client)) as values:
            async for full in values:
                _ = full.id / 0


async def by_cancellation(client: AegisClient) -> None:
    """Be cancelled while waiting."""
    consumer = asyncio.create_task(endless(client).collect())
    await asyncio.sleep(0)
    while not client._session.tasks()._tasks:
        await asyncio.sleep(0)
    consumer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer


@pytest.mark.parametrize(
    "leave",
    [
        by_exhaustion,
        by_an_error,
        by_aclose,
        by_async_with,
        by_async_with_of_outcomes,
        by_an_exception_in_the_block,
        by_cancellation,
    ],
    ids=lambda way: way.__name__,
)
async def test_nothing_is_left_at_once(leave: Callable[[AegisClient], Awaitable[None]], client: AegisClient) -> None:
    """When the fan-out is over, its tasks and its connections are gone as control returns."""
    await client.data_collections.get(1)

    await leave(client)

    assert (0, 0) == left(client)


async def test_a_bare_break_leaves_nothing_a_few_turns_later(client: AegisClient) -> None:
    """After a ``break`` alone, what was in flight is gone after the loop's next few turns."""
    async for _ in endless(client):
        break
    gc.collect()
    for _ in range(TURNS):
        await asyncio.sleep(0)

    assert (0, 0) == left(client)


async def test_a_bare_exception_leaves_nothing_a_few_turns_later(client: AegisClient) -> None:
    """So it is after an exception in the body of a bare loop, once its traceback is gone."""

    async def walk() -> None:
        async for full in endless(client):
            _ = full.id / 0

    with pytest.raises(ZeroDivisionError) as caught:
        await walk()
    del caught
    gc.collect()
    for _ in range(TURNS):
        await asyncio.sleep(0)

    assert (0, 0) == left(client)


async def test_closing_the_client_ends_what_is_still_held(sandbox: Sandbox) -> None:
    """An iterator that somebody still holds ends with the client, and says so."""
    async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
        values = aiter(endless(client))
        await anext(values)
        session: Any = client._session._transport._session
        connector = session.connector

    assert (0, 0) == (len(client._session._tasks._tasks), len(connector._acquired))
    with pytest.raises(ClientClosedError):
        while True:
            await anext(values)


async def test_ids_may_close_the_client_that_they_are_for(sandbox: Sandbox) -> None:
    """Where the source of the ids closes the client, the fan-out ends as when anybody else does."""
    client = AegisClient(sandbox.api_key, base_url=sandbox.url)

    async def ids() -> AsyncIterator[int]:
        yield 1
        await client.aclose()
        yield 2

    with pytest.raises(ClientClosedError):
        await client.data_collections.get_many(ids()).collect()


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_ids_may_close_the_iterator_that_they_are_for(client: AegisClient, concurrency: int) -> None:
    """Where the source of the ids closes the iterator, it goes on, and soon after nothing is left of the fan-out."""
    closed = asyncio.Event()

    async def ids() -> AsyncIterator[int]:
        yield 1
        await results.aclose()
        closed.set()
        yield 2

    results: Any = client.data_collections.get_many(ids(), concurrency=concurrency).outcomes()
    async with asyncio.timeout(5):
        found = [outcome.id async for outcome in results]
        await closed.wait()
    for _ in range(TURNS):
        await asyncio.sleep(0)

    assert found in ([], [1])
    assert (0, 0) == left(client)


async def test_a_listing_and_its_fan_out_are_one_pipeline(client: AegisClient, sandbox: Sandbox) -> None:
    """With a consumer that takes nothing more, a listing that reads ahead stops at its pages ahead."""
    ids = (summary.id async for summary in client.data_collections.list(page_size=1, prefetch=3))

    fan_out = client.data_collections.get_many(ids, concurrency=2)
    async with aiter(fan_out) as values:
        await anext(values)
        while fan_out.stats.waiting < 2 * 2:
            await asyncio.sleep(0)
        before = -1
        while before != len(sandbox.requests):  # until nothing more is asked for
            before = len(sandbox.requests)
            for _ in range(100):
                await asyncio.sleep(0)
        pages = sum("page" in request.query for request in sandbox.requests)

        # One taken, four results that wait, and the pages read ahead of the fourth.
        assert 5 <= pages <= 1 + 2 * 2 + 3 + 1
        assert 2 * 2 + 1 == len(sandbox.requests) - pages

    assert (0, 0) == left(client)
