"""Claims about what is asked for while entries are dropped: no older answer takes a newer one's place."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from aegis_async import AegisClient, Cache, RetryPolicy
from aegis_async._resources.data_collections import get_since
from aegis_async.errors import APIConnectionError, NotFoundError
from aegis_async.models import DataCollection
from tests.conftest import FakeClock
from tests.held import Held, held
from tests.session.wire import KEY

ONCE = RetryPolicy(max_attempts=1)
DROPS: dict[str, Callable[[AegisClient, Cache], None]] = {
    "invalidate": lambda client, _: client.data_collections.invalidate(14),
    "clear": lambda _, cache: cache.clear(),
}


@pytest.fixture
async def server() -> AsyncIterator[Held]:
    async with held() as running:
        yield running


@pytest.fixture
async def kept(server: Held, clock: FakeClock) -> AsyncIterator[AegisClient]:
    async with AegisClient(KEY, base_url=server.url, cache=Cache(), retry=ONCE) as made:
        made._session.clock = clock.as_clock()
        yield made


def cache_of(client: AegisClient) -> Cache:
    """Give the client's cache."""
    assert client.cache is not None
    return client.cache


def asked(client: AegisClient, id_: int = 14, *, fresh: bool = False) -> asyncio.Task[DataCollection]:
    """Begin a get in a task of its own."""
    return asyncio.create_task(client.data_collections.get(id_, fresh=fresh))


async def got(server: Held, client: AegisClient) -> DataCollection:
    """Give what a get gives that is answered at once."""
    call = asked(client)
    await server.came(len(server.paths) + 1)
    server.let_go(len(server.paths) - 1)
    return await call


@pytest.mark.parametrize("drop", DROPS.values(), ids=DROPS)
async def test_what_was_asked_before_a_drop_is_not_kept(
    server: Held, kept: AegisClient, drop: Callable[[AegisClient, Cache], None]
) -> None:
    """The one who asked gets the answer, and the next one asks anew."""
    call = asked(kept)
    await server.came(1)

    drop(kept, cache_of(kept))
    server.let_go(0)

    assert 14 == (await call).id
    assert 0 == cache_of(kept).stats().entries


@pytest.mark.parametrize("drop", DROPS.values(), ids=DROPS)
async def test_who_asks_after_a_drop_does_not_get_an_answer_to_what_was_asked_before(
    server: Held, kept: AegisClient, drop: Callable[[AegisClient, Cache], None]
) -> None:
    """A flight that was under way is not joined: the answer kept is that of the request that came after."""
    before = asked(kept)
    await server.came(1)
    drop(kept, cache_of(kept))
    after = asked(kept)
    await server.came(2)

    server.let_go(1)
    newer = await after
    server.let_go(0)
    older = await before

    assert older is not newer
    assert newer is await kept.data_collections.get(14)
    assert 2 == len(server.paths)


async def test_a_refresh_that_was_under_way_is_not_kept_after_a_drop(
    server: Held, kept: AegisClient, clock: FakeClock
) -> None:
    """An old value that is being fetched anew and is invalidated meanwhile does not come back."""
    await got(server, kept)
    clock.time += 31
    await kept.data_collections.get(14)
    await server.came(2)

    kept.data_collections.invalidate(14)
    server.let_go(1)
    while kept._session.tasks()._tasks:
        await asyncio.sleep(0)

    assert 1 == cache_of(kept).stats().refreshes
    assert 0 == cache_of(kept).stats().entries


async def test_another_collection_is_still_shared_and_kept(server: Held, kept: AegisClient) -> None:
    """To invalidate one collection changes nothing for a request for another that is under way."""
    first = asked(kept, 15)
    await server.came(1)
    kept.data_collections.invalidate(14)
    second = asked(kept, 15)
    await asyncio.sleep(0)
    server.let_go(0)

    assert await first is await second
    assert 1 == cache_of(kept).stats().entries
    assert 1 == len(server.paths)


@pytest.mark.parametrize("cache", [Cache(), None], ids=["with a cache", "without one"])
async def test_fresh_is_asked_after_the_call(server: Held, cache: Cache | None) -> None:
    """``get(id, fresh=True)`` does not take the answer to a request that was sent before it was called."""
    async with AegisClient(KEY, base_url=server.url, cache=cache) as client:
        before = asked(client)
        await server.came(1)
        fresh = asked(client, fresh=True)
        await server.came(2)
        later = asked(client, fresh=True)
        await server.came(3)

        server.let_go()
        values = [await call for call in (before, fresh, later)]

    assert 3 == len({id(value) for value in values})


async def test_the_older_answer_does_not_take_the_place_of_a_fresh_one(server: Held, kept: AegisClient) -> None:
    """Whichever comes last, what was asked last is kept."""
    before = asked(kept)
    await server.came(1)
    fresh = asked(kept, fresh=True)
    await server.came(2)

    server.let_go(1)
    newer = await fresh
    server.let_go(0)
    await before

    assert newer is await kept.data_collections.get(14)


async def test_who_asks_while_a_fresh_answer_is_on_its_way_shares_it(server: Held, kept: AegisClient) -> None:
    """A plain call joins the latest request, as it would any other."""
    fresh = asked(kept, fresh=True)
    await server.came(1)
    plain = [asked(kept) for _ in range(10)]
    await asyncio.sleep(0)
    server.let_go(0)

    values = await asyncio.gather(fresh, *plain)

    assert 1 == len({id(value) for value in values})
    assert 1 == len(server.paths)


async def test_who_wants_it_as_of_an_instant_shares_what_was_asked_for_since(
    server: Held, kept: AegisClient, clock: FakeClock
) -> None:
    """An answer that came later but was asked for before that instant will not do; one asked for since will."""
    before = asked(kept)
    await server.came(1)
    clock.time = 5
    server.let_go(0)
    older = await before
    first = asyncio.create_task(get_since(kept.data_collections, 14, 3))
    await server.came(2)
    clock.time = 6
    second = asyncio.create_task(get_since(kept.data_collections, 14, 4))
    await asyncio.sleep(0)
    server.let_go(1)

    newer = (await first).value
    assert newer is (await second).value
    assert newer is (await get_since(kept.data_collections, 14, 5)).value
    assert newer is not older
    assert 2 == len(server.paths)


async def test_what_is_gone_is_not_kept_by_an_older_answer(server: Held, kept: AegisClient) -> None:
    """A 404 drops the value, and an answer to an earlier request that comes after it does not bring it back."""
    before = asked(kept)
    await server.came(1)
    other = asked(kept.with_options(timeout=9))  # which flies by itself
    await server.came(2)

    server.status = "404 Not Found"
    server.let_go(1)
    with pytest.raises(NotFoundError):
        await other
    server.status = "200 OK"
    server.let_go(0)
    await before

    assert 0 == cache_of(kept).stats().entries


@pytest.mark.parametrize("drop", DROPS.values(), ids=DROPS)
async def test_a_dropped_value_does_not_stand_in_for_an_error(
    server: Held, kept: AegisClient, clock: FakeClock, drop: Callable[[AegisClient, Cache], None]
) -> None:
    """Who waits for the service when the old value is dropped gets the error, not that value."""
    await got(server, kept)
    clock.time += 331
    call = asked(kept)
    await server.came(2)

    drop(kept, cache_of(kept))
    server.status = "broken"
    server.let_go(1)

    with pytest.raises(APIConnectionError):
        await call


async def test_a_newer_value_stands_in_for_an_error(server: Held, kept: AegisClient, clock: FakeClock) -> None:
    """When the service fails for one caller and another has got a new value meanwhile, that one is given, as new."""
    await got(server, kept)
    clock.time += 331
    waiting = asyncio.create_task(kept.data_collections.get_with_age(14))
    await server.came(2)
    fresh = asked(kept, fresh=True)
    await server.came(3)

    server.let_go(2)
    newer = await fresh
    server.status = "broken"
    server.let_go(1)
    aged = await waiting

    assert newer is aged.value
    assert not aged.stale


async def test_nothing_is_left_of_those_who_asked(server: Held, kept: AegisClient) -> None:
    """Calls that end with a value, by an error or by a cancellation leave nothing behind in the cache but the value."""
    calls = [asked(kept) for _ in range(3)]
    await server.came(1)
    calls[0].cancel()
    server.let_go(0)
    await asyncio.gather(*calls, return_exceptions=True)
    failing = asked(kept, 15)
    await server.came(2)
    server.status = "broken"
    server.let_go(1)
    with pytest.raises(APIConnectionError):
        await failing
    left = asked(kept, 16)
    await server.came(3)
    left.cancel()
    await asyncio.wait([left])

    assert {} == cache_of(kept)._asking
    assert 1 == cache_of(kept).stats().entries
