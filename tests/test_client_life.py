"""Claims about a client's views, its building, its life and its end."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aioresponses import aioresponses

from aegis_async import AegisClient, RetryPolicy, Timeout
from aegis_async.errors import (
    AegisError,
    APIConnectionError,
    ClientClosedError,
    ConfigurationError,
)
from aegis_async.sandbox import Sandbox
from tests.conftest import FakeClock
from tests.decode.documents import collection
from tests.held import held
from tests.session.connecting import tls, trusting
from tests.session.wire import http, wire

KEY = "sk_0123456789abcdef0123456789abcdef"


async def test_a_view_has_options_of_its_own_on_the_same_pool(client: AegisClient, sandbox: Sandbox) -> None:
    """``with_options`` changes one view's retries and leaves the client's."""
    view = client.with_options(retry=RetryPolicy(max_attempts=1), timeout=3)
    sandbox.fail(status=503, times=2)

    with pytest.raises(AegisError, match="attempt 1 of 1"):
        await view.data_collections.get(1)
    assert 1 == (await client.data_collections.get(1)).id

    assert Timeout(attempt=3.0) == view._api.options.timeout
    assert Timeout() == client._api.options.timeout
    assert RetryPolicy() == client.with_options(timeout=Timeout(read=1))._api.options.retry


@pytest.mark.parametrize(
    "arguments",
    [
        {"timeout": 0},
        {"timeout": "5"},
        {"retry": 3},
        {"max_concurrency": 0},
        {"max_concurrency": 2.5},
        {"max_body_size": 0},
        {"session": "x"},
        {"proxy": 7},
        {"ssl": False},
        {"headers": "X-Team: a"},
        {"headers": [("X-Team", "a")]},
        {"trust_env": "no"},
        {"base_url": "http://aegis.example"},
    ],
    ids=str,
)
def test_a_client_that_cannot_work_is_not_built(arguments: dict[str, Any]) -> None:
    """A setting of the wrong kind is a ConfigurationError that names it."""
    with pytest.raises(ConfigurationError, match=f"^{next(iter(arguments))}"):
        AegisClient(KEY, **arguments)


def test_its_repr_masks_the_key() -> None:
    """A client shows where it goes and the last four characters of its key."""
    client = AegisClient(KEY, base_url="https://aegis.example/")

    assert "<AegisClient https://aegis.example key=sk_…cdef>" == repr(client)


def test_it_is_built_without_a_loop_and_leaves_no_word_unused() -> None:
    """Construction needs no event loop, and a client that was never used has nothing to close."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        AegisClient(KEY)
        gc.collect()

    assert [] == heard


async def test_closing_is_idempotent_and_final(sandbox: Sandbox) -> None:
    """``aclose()`` may be called twice; any use after it is a ClientClosedError."""
    client = AegisClient(sandbox.api_key, base_url=sandbox.url)
    await client.data_collections.get(1)
    view = client.with_options(timeout=1)

    await client.aclose()
    await client.aclose()

    with pytest.raises(ClientClosedError):
        await client.data_collections.get(1)
    with pytest.raises(ClientClosedError):
        await view.data_collections.list().first()
    with pytest.raises(ClientClosedError):
        async with client:
            pass


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
async def test_closing_from_several_tasks_at_once_is_closing_once(secure: bool) -> None:
    """Each of them returns when the connections are gone."""
    async with wire(http(b"1"), tls=tls() if secure else None) as served:
        client = AegisClient(KEY, base_url=served.url, ssl=trusting() if secure else None)
        await client.fetch("/x", int)
        session = client._session._transport._session

        ends = await asyncio.gather(*(client.aclose() for _ in range(3)))

        assert [None] * 3 == ends
        assert session is not None
        assert session.closed


async def test_closing_that_is_cancelled_closes_all_the_same() -> None:
    """Wherever the cancellation comes, the connections end, and with them every call."""
    turns = 0
    while not await closes_within(turns):
        turns += 1

    assert 2 <= turns


async def closes_within(turns: int) -> bool:
    """Cancel closing after so many turns of the loop, and tell whether it was over; look at what is left."""
    async with held() as server:
        client = AegisClient(KEY, base_url=server.url)
        calls = [client.data_collections.get(14), client.fetch("/data-collections/15", dict[str, Any])]
        tasks = [asyncio.ensure_future(call) for call in calls]
        await server.came(len(tasks))
        session = client._session._transport._session
        closing = asyncio.create_task(client.aclose())
        for _ in range(1 + turns):
            await asyncio.sleep(0)

        closing.cancel()
        await asyncio.wait([closing])

        async with asyncio.timeout(5):
            errors = await asyncio.gather(*tasks, return_exceptions=True)
        assert session is not None
        assert session.closed
        assert all(isinstance(error, ClientClosedError) for error in errors)
        return not closing.cancelled()


async def test_closing_ends_a_request_under_way(sandbox: Sandbox) -> None:
    """A call that another task has under way ends in an error of ours at once."""
    client = AegisClient(sandbox.api_key, base_url=sandbox.url)
    sandbox.fail(delay=30)
    call = asyncio.create_task(client.data_collections.get(1))
    while not sandbox.requests:
        await asyncio.sleep(0)

    await client.aclose()

    with pytest.raises((ClientClosedError, APIConnectionError)):
        await call


async def test_closing_ends_a_wait_between_attempts(sandbox: Sandbox) -> None:
    """A call that waits for another attempt, for minutes perhaps, ends when the client closes."""
    sandbox.fail(status=500, retry_after=50)
    client = AegisClient(sandbox.api_key, base_url=sandbox.url)
    async with asyncio.timeout(5):
        call = asyncio.create_task(client.data_collections.get(1))
        while not client.stats().waited_pause:
            await asyncio.sleep(0)

        await client.aclose()

        with pytest.raises(ClientClosedError):
            await call


async def test_cancelling_a_call_gives_its_slot_back(sandbox: Sandbox) -> None:
    """A call that is cancelled on the wire leaves its place to the next."""
    async with AegisClient(sandbox.api_key, base_url=sandbox.url, max_concurrency=1) as client:
        sandbox.fail(delay=30)
        call = asyncio.create_task(client.data_collections.get(1))
        while not sandbox.requests:
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

        assert 2 == (await client.data_collections.get(2)).id


async def test_no_more_requests_are_on_the_wire_than_allowed(sandbox: Sandbox) -> None:
    """With ``max_concurrency=2`` a fan-out of eight has two requests at the server at once."""
    async with AegisClient(sandbox.api_key, base_url=sandbox.url, max_concurrency=2) as client:
        sandbox.fail(delay=30, times=None)
        view = client.with_options(priority="interactive")
        work = asyncio.create_task(view.data_collections.get_many(range(1, 9), concurrency=8).collect())
        while len(sandbox.requests) < 2:
            await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0)

        assert 2 == len(sandbox.requests)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work


def test_a_client_left_open_warns_once() -> None:
    """A client that nobody closed gives one ResourceWarning, and its connections end with their loop."""

    async def use() -> AegisClient:
        async with Sandbox(collections=1) as sandbox:
            client = AegisClient(sandbox.api_key, base_url=sandbox.url)
            await client.data_collections.get(1)
            return client

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client: AegisClient | None = asyncio.run(use())
        del client
        gc.collect()

    assert ["unclosed <AegisClient"] == [str(w.message)[:21] for w in caught if w.category is ResourceWarning]


def test_a_client_goes_on_in_a_new_loop_when_its_first_is_closed() -> None:
    """After ``asyncio.run`` has ended, the next ``asyncio.run`` starts with fresh connections."""
    with Sandbox(collections=2) as sandbox:
        client = AegisClient(sandbox.api_key, base_url=sandbox.url)

        async def use(id_: int) -> int:
            return (await client.data_collections.get(id_)).id

        async def use_and_close() -> int:
            async with client:
                return await use(2)

        assert 1 == asyncio.run(use(1))
        assert 2 == asyncio.run(use_and_close())


async def test_a_second_loop_is_told_so(client: AegisClient) -> None:
    """Used from another loop while its first is alive, the client says to make one for each."""
    await client.data_collections.get(1)

    def elsewhere() -> None:
        asyncio.run(use())

    async def use() -> None:
        await client.data_collections.get(1)

    with pytest.raises(ConfigurationError, match="another event loop"):
        await asyncio.to_thread(elsewhere)


@pytest.mark.parametrize("used", [False, True])
def test_closing_in_another_loop_closes_for_all(used: bool) -> None:
    """A client that is closed where its own loop no longer runs, or never did, refuses further use."""
    with Sandbox(collections=1) as sandbox:
        client = AegisClient(sandbox.api_key, base_url=sandbox.url)

        async def use() -> int:
            return (await client.data_collections.get(1)).id

        async def close_and_use() -> None:
            await client.aclose()
            with pytest.raises(ClientClosedError):
                await use()

        if used:
            assert 1 == asyncio.run(use())
        asyncio.run(close_and_use())


@pytest.mark.parametrize("way", ["exhaust", "aclose", "error", "cancel"])
async def test_no_task_and_no_connection_is_left_whichever_way_it_ends(way: str) -> None:
    """However a pipeline of listing and fan-out ends, the client owns no task and no request is on the wire."""
    with Sandbox(collections=40) as sandbox:
        async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
            before = asyncio.all_tasks()
            await (cancelled(client, sandbox) if way == "cancel" else pipeline(client, way))
            for _ in range(5):
                await asyncio.sleep(0)

            assert before == asyncio.all_tasks()
            assert 0 == client.stats().in_flight


async def pipeline(client: AegisClient, way: str) -> None:
    """Fetch what a listing names, and end as told."""
    many = client.data_collections.get_many(ids(client), concurrency=8)
    if way == "exhaust":
        assert 40 == len(await many.collect())
        return
    try:
        async with aiter(many) as results:
            async for _ in results:
                if way == "error":
                    raise ZeroDivisionError
                break
    except ZeroDivisionError:
        assert "error" == way


async def ids(client: AegisClient) -> AsyncIterator[int]:
    """Give the ids of a listing that is read ahead."""
    async for summary in client.data_collections.list(page_size=4, prefetch=4):
        yield summary.id


async def cancelled(client: AegisClient, sandbox: Sandbox) -> None:
    """Cancel the pipeline in the turn in which the first collection is seen to be asked for."""
    task = asyncio.create_task(pipeline(client, "exhaust"))
    while not any(request.path == "/data-collections/1" for request in sandbox.requests):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_it_reads_what_aioresponses_serves(mocked: aioresponses, clock: FakeClock) -> None:
    """People who mock aiohttp in their own tests can mock this client, retries included."""
    url = "https://api.aegisevals.ai/api/v1/data-collections/14"
    mocked.get(url, status=503)
    mocked.get(url, payload=collection())
    async with AegisClient(KEY) as client:
        client._session.clock = clock.as_clock()
        assert 14 == (await client.data_collections.get(14)).id

    assert 1 == len(clock.sleeps)
