"""Claims about what a cache fetches anew in the background: the old value meanwhile, in bounds, and never twice."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest

from aegis_async import AegisClient, Cache, RetryPolicy
from aegis_async._cache import Fetched
from aegis_async._clock import Clock
from aegis_async._tasks import TaskOwner
from aegis_async.sandbox import Sandbox
from tests.conftest import FakeClock
from tests.held import held
from tests.keeping import keeping, settled, stats_of
from tests.session.wire import KEY, http, wire


@pytest.fixture
async def kept(sandbox: Sandbox, clock: FakeClock) -> AsyncIterator[AegisClient]:
    async with keeping(sandbox, clock) as made:
        yield made


async def test_a_stale_value_is_given_while_it_is_refreshed(
    sandbox: Sandbox, kept: AegisClient, clock: FakeClock
) -> None:
    """After ``ttl`` the old value comes at once, marked as stale, and the next caller finds a new one."""
    await kept.data_collections.get(14)
    sandbox.change(14)
    clock.time += 31

    old = await kept.data_collections.get_with_age(14)
    await kept.data_collections.get(14)  # a second caller begins no second refresh
    await settled(kept)
    new = await kept.data_collections.get_with_age(14)

    assert (31.0, True) == (old.age, old.stale)
    assert (0.0, False) == (new.age, new.stale)
    assert new.value != old.value
    assert 2 == len(sandbox.requests)
    assert 1 == stats_of(kept).refreshes


async def test_refreshes_are_bounded(clock: FakeClock) -> None:
    """However many old values are asked for, eight are fetched anew at a time; the others are given as they are."""
    ids = range(1, 17)
    async with held() as server, AegisClient(KEY, base_url=server.url, cache=Cache()) as client:
        client._session.clock = clock.as_clock()
        calls = [asyncio.create_task(client.data_collections.get(id_)) for id_ in ids]
        await server.came(len(ids))
        server.let_go()
        values = await asyncio.gather(*calls)
        clock.time += 31

        old = [await client.data_collections.get(id_) for id_ in ids]
        await server.came(len(ids) + 8)

    assert values == old
    assert (8, len(ids)) == (stats_of(client).refreshes, stats_of(client).stale)
    assert len(ids) + 8 == len(server.paths)


async def test_a_refresh_is_not_bounded_by_the_deadline_of_who_began_it(sandbox: Sandbox, clock: FakeClock) -> None:
    """A caller with little time gets the old value, and the new one may take longer than that."""
    async with keeping(sandbox, clock, retry=RetryPolicy()) as client:
        await client.data_collections.get(14)
        clock.time += 31
        sandbox.fail(status=503)

        await client.with_options(deadline=0.1).data_collections.get(14)  # less than the wait for another attempt
        await settled(client)

    assert (1, 0) == (stats_of(client).refreshes, stats_of(client).failures)
    assert 3 == len(sandbox.requests)


async def test_a_refresh_ends_with_its_client() -> None:
    """Closing the client ends the refreshes that it owns."""
    async with held() as server:
        cache = Cache(ttl=0)
        async with AegisClient(KEY, base_url=server.url, cache=cache) as client:
            call = asyncio.create_task(client.data_collections.get(14))
            await server.came(1)
            server.let_go()
            await call
            await client.data_collections.get(14)
            await server.came(2)

        assert 0 == client.stats().in_flight


async def test_refreshes_that_never_began_do_not_count_for_ever(sandbox: Sandbox, clock: FakeClock) -> None:
    """A client that is closed before its refreshes take a step leaves all eight to others with the same cache."""
    cache = Cache()
    async with keeping(sandbox, clock, cache) as first:
        for old in (False, True):
            clock.time += 31 * old
            for id_ in range(1, 9):
                await first.data_collections.get(id_)

    async with keeping(sandbox, clock, cache) as second:
        await second.data_collections.get(14)
        clock.time += 31
        await second.data_collections.get(14)
        await settled(second)
        aged = await second.data_collections.get_with_age(14)

    assert not aged.stale
    assert 8 + 1 == cache.stats().refreshes


def test_a_refresh_that_its_loop_left_undone_is_begun_anew() -> None:
    """Where an event loop is closed under a refresh, the next loop does not take it for one under way."""
    cache, began = Cache(ttl=0), 0

    async def fetch(_: str | None, __: object, /, *, outlives: bool = False) -> Fetched[str]:
        nonlocal began
        if outlives:
            began += 1
            await asyncio.Event().wait()
        return Fetched("old", 3, None)

    async def asked() -> str:
        value = (await cache.read("key", fetch, SimpleNamespace(clock=Clock(), tasks=TaskOwner))).value
        await asyncio.sleep(0)  # the refresh begins
        return value

    for _ in range(2):
        loop = asyncio.new_event_loop()
        values = [loop.run_until_complete(asked()) for _ in range(3)]
        loop.close()
        assert ["old"] * 3 == values

    assert 2 == began


async def test_an_etag_is_sent_and_a_304_renews_the_value(clock: FakeClock) -> None:
    """What has not changed is not sent again, and is fresh once more."""
    full = b'{"ok":true}'
    async with (
        wire(http(full, ETag='"v1"'), http(b"", "304 Not Modified"), http(b'"x"')) as served,
        AegisClient(KEY, base_url=served.url, cache=Cache()) as client,
    ):
        client._session.clock = clock.as_clock()
        first = await client.fetch("/x", bytes)
        clock.time += 31
        await client.fetch("/x", bytes)
        await settled(client)
        again = await client.fetch("/x", bytes)

    assert full == first == again
    assert "If-None-Match" not in served.heads[0]
    assert 'If-None-Match: "v1"' in served.heads[1]
    assert 2 == len(served.heads)


@pytest.mark.parametrize("etag", [b'"\xff"', '"é"'.encode()], ids=["bytes that are no text", "more than ASCII"])
async def test_an_etag_that_may_not_come_back_as_it_went_is_not_sent(etag: bytes, clock: FakeClock) -> None:
    """What a header need not carry unchanged could name another answer, or end every later request in an error."""
    answer = http(b"{}", ETag="v").replace(b"ETag: v", b"ETag: " + etag)
    async with wire(answer) as served, AegisClient(KEY, base_url=served.url, cache=Cache()) as client:
        client._session.clock = clock.as_clock()
        await client.fetch("/x", bytes)
        clock.time += 31
        await client.fetch("/x", bytes)
        await settled(client)

    assert 2 == len(served.heads)
    assert "If-None-Match" not in served.heads[1]
