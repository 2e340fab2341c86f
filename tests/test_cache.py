"""Claims about the cache: fresh values without a request, old ones rather than none, and a bound on memory."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from aegis_async import AegisClient, Cache, RetryPolicy
from aegis_async._cache import Fetched
from aegis_async._clock import Clock
from aegis_async._tasks import TaskOwner
from aegis_async.errors import (
    AegisError,
    APIConnectionError,
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    NotFoundError,
    PermissionDeniedError,
    ServerError,
)
from aegis_async.sandbox import Sandbox
from tests.conftest import FakeClock
from tests.held import held
from tests.session.wire import KEY, http, wire


def keeping(sandbox: Sandbox, clock: FakeClock, cache: Cache | None = None, **settings: Any) -> AegisClient:
    """Give a client with a cache, in a time that passes when told."""
    settings.setdefault("retry", RetryPolicy(max_attempts=1))
    made = AegisClient(sandbox.api_key, base_url=sandbox.url, cache=cache or Cache(), **settings)
    made._session.clock = clock.as_clock()
    return made


class Named(msgspec.Struct, frozen=True):
    """A part of a collection."""

    name: str


@pytest.fixture
async def kept(sandbox: Sandbox, clock: FakeClock) -> AsyncIterator[AegisClient]:
    async with keeping(sandbox, clock) as made:
        yield made


async def settled(client: AegisClient) -> None:
    """Wait until no refresh is under way."""
    while client._session.tasks()._tasks:
        await asyncio.sleep(0)


async def test_a_fresh_value_needs_no_request(sandbox: Sandbox, kept: AegisClient, clock: FakeClock) -> None:
    """Within ``ttl`` the same frozen value is given again and again."""
    first = await kept.data_collections.get(14)
    clock.time += 29
    aged = await kept.data_collections.get_with_age(14)

    assert aged.value is first
    assert (29.0, False) == (aged.age, aged.stale)
    assert 1 == len(sandbox.requests)
    assert (1, 1) == (_stats(kept).misses, _stats(kept).hits)


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
    assert 1 == _stats(kept).refreshes


@pytest.mark.parametrize(
    "fault",
    [{"status": 429}, {"status": 500}, {"status": 503}, {"reset": True}, {"delay": 30.0}],
    ids=["429", "500", "503", "connection", "timeout"],
)
async def test_an_old_value_is_given_when_the_service_is_down(
    sandbox: Sandbox, clock: FakeClock, fault: dict[str, Any]
) -> None:
    """Beyond the time of refreshing the service is asked, and the old value stands in when it does not answer."""
    async with keeping(sandbox, clock) as client:
        first = await client.data_collections.get(14)
        clock.time += 331
        sandbox.fail(**fault)
        aged = await client.with_options(timeout=0.05).data_collections.get_with_age(14)

    assert aged.value is first
    assert (331.0, True) == (aged.age, aged.stale)
    assert 1 == _stats(client).failures


async def test_a_service_that_is_down_is_not_asked_by_everybody(
    sandbox: Sandbox, kept: AegisClient, clock: FakeClock
) -> None:
    """After a failure the old value comes without a request for a second, so that an outage makes no stampede."""
    await kept.data_collections.get(14)
    clock.time += 331
    sandbox.fail(status=503, times=10)

    for _ in range(50):
        await kept.data_collections.get(14)
    during = len(sandbox.requests)
    clock.time += 1
    await kept.data_collections.get(14)

    assert (2, 3) == (during, len(sandbox.requests))


async def test_a_refresh_that_fails_is_not_repeated_at_once(
    sandbox: Sandbox, kept: AegisClient, clock: FakeClock
) -> None:
    """In the background it is the same: one attempt a second, however many ask."""
    await kept.data_collections.get(14)
    clock.time += 31
    sandbox.fail(status=503, times=10)

    for _ in range(20):
        await kept.data_collections.get(14)
        await settled(kept)

    assert 2 == len(sandbox.requests)
    assert (1, 1) == (_stats(kept).refreshes, _stats(kept).failures)


async def test_a_value_that_is_too_old_is_not_given(sandbox: Sandbox, kept: AegisClient, clock: FakeClock) -> None:
    """When the last window has ended, the error comes."""
    await kept.data_collections.get(14)
    clock.time += 3631
    sandbox.fail(status=503)

    with pytest.raises(ServerError):
        await kept.data_collections.get(14)


@pytest.mark.parametrize(
    ("status", "kind"), [(401, AuthenticationError), (403, PermissionDeniedError), (404, NotFoundError)]
)
async def test_a_refusal_drops_the_value(
    sandbox: Sandbox, kept: AegisClient, clock: FakeClock, status: int, kind: type[AegisError]
) -> None:
    """Who may not see it, or what is gone, gets no old value, in the foreground as in the background."""
    await kept.data_collections.get(14)
    clock.time += 31
    sandbox.fail(status=status)
    await kept.data_collections.get(14)
    await settled(kept)
    assert 0 == _stats(kept).entries

    await kept.data_collections.get(14)
    clock.time += 331
    sandbox.fail(status=status)
    with pytest.raises(kind):
        await kept.data_collections.get(14)
    assert (0, 0) == (_stats(kept).entries, _stats(kept).size)


async def test_fresh_goes_past_it_and_fills_it(sandbox: Sandbox, kept: AegisClient) -> None:
    """``get(id, fresh=True)`` asks the service, and the next plain get has that answer."""
    await kept.data_collections.get(14)
    sandbox.change(14)

    new = await kept.data_collections.get(14, fresh=True)

    assert new is await kept.data_collections.get(14)
    assert 2 == len(sandbox.requests)


async def test_what_is_invalidated_is_asked_for_again(kept: AegisClient) -> None:
    """Only the collection that is named, in all of its forms; ``clear`` drops everything."""
    for id_ in (14, 15):
        await kept.data_collections.get(id_)
        await kept.data_collections.get(id_, shared=False)

    kept.data_collections.invalidate(14)
    left = _stats(kept).entries
    assert kept.cache is not None
    kept.cache.clear()

    assert (2, 0, 0) == (left, _stats(kept).entries, _stats(kept).size)


async def test_bulk_neither_reads_nor_fills_it(sandbox: Sandbox, kept: AegisClient) -> None:
    """A fan-out gets what is there now, and pushes nothing out."""
    await kept.data_collections.get(14)

    await kept.data_collections.get_many([14, 15]).collect()
    await kept.with_options(priority="bulk").data_collections.get(14)

    assert 4 == len(sandbox.requests)
    assert 1 == _stats(kept).entries


@pytest.mark.parametrize(("on_drift", "requests"), [("ignore", 1), ("warn", 1), ("raise", 2), ("repair", 2)])
async def test_a_listing_that_must_know_of_drift_asks_the_service(
    sandbox: Sandbox, kept: AegisClient, on_drift: Any, requests: int
) -> None:
    """Pages are kept like other answers, but a listing that raises or repairs reads what is there now."""
    for _ in range(2):
        await kept.data_collections.list(on_drift=on_drift).collect()

    assert requests == len(sandbox.requests)


async def test_a_value_that_can_change_is_not_kept(kept: AegisClient) -> None:
    """A dict that a caller may change is each caller's own."""
    await kept.fetch("/data-collections/14", dict[str, Any])

    assert 0 == _stats(kept).entries


async def test_the_least_recently_used_goes_first(sandbox: Sandbox, clock: FakeClock) -> None:
    """The bound on memory holds, and what was used last stays."""
    async with keeping(sandbox, clock) as client:
        sizes: list[int] = []
        for id_ in (1, 2, 3):
            await client.data_collections.get(id_)
            sizes.append(_stats(client).size - sum(sizes))
    cache = Cache(max_bytes=sum(sizes) - 1)
    async with keeping(sandbox, clock, cache) as client:
        for id_ in (1, 2, 1, 3):
            await client.data_collections.get(id_)
        sandbox.clear_requests()
        await client.data_collections.get(1)
        assert [] == sandbox.requests

    assert (2, 1) == (cache.stats().entries, cache.stats().evicted)
    assert cache.stats().size <= sum(sizes) - 1


async def test_one_that_is_larger_than_all_is_not_kept(sandbox: Sandbox, clock: FakeClock) -> None:
    """It would push everything out and still not fit."""
    async with keeping(sandbox, clock, Cache(max_bytes=2000)) as client:
        await client.data_collections.get(14)

    assert (0, 0) == (_stats(client).entries, _stats(client).evicted)


async def test_two_keys_share_no_entry(sandbox: Sandbox, clock: FakeClock) -> None:
    """One cache for two clients keeps what each key may see apart."""
    cache = Cache()
    async with keeping(sandbox, clock, cache) as ours:
        await ours.data_collections.get(14)
        other = AegisClient("sk_another_key_altogether", base_url=sandbox.url, cache=cache)
        async with other as theirs:
            with pytest.raises(AuthenticationError):
                await theirs.data_collections.get(14)
        assert sandbox.api_key not in repr([*cache._entries])

    assert 1 == cache.stats().entries


async def test_two_services_share_no_entry(sandbox: Sandbox) -> None:
    """One cache may serve clients of several services: what one of them said is not what the other says."""
    cache = Cache()
    async with Sandbox(seed=1) as other:
        mine = AegisClient(sandbox.api_key, base_url=sandbox.url, cache=cache)
        theirs = AegisClient(other.api_key, base_url=other.url, cache=cache)
        async with mine, theirs:
            values = [await client.data_collections.get(3) for client in (mine, theirs, mine, theirs)]

    assert values[:2] == values[2:]
    assert values[0] != values[1]
    assert (1, 1, 2) == (len(sandbox.requests), len(other.requests), cache.stats().entries)


async def test_two_clients_of_one_key_share_what_is_kept(sandbox: Sandbox, clock: FakeClock) -> None:
    """What one client has fetched the other is given without a request, pages and types of its own among it."""
    cache = Cache()
    async with keeping(sandbox, clock, cache) as first, keeping(sandbox, clock, cache) as second:
        theirs = await everything(first)
        sandbox.clear_requests()
        ours = await everything(second)

    assert [] == sandbox.requests
    assert all(mine is yours for mine, yours in zip(ours, theirs, strict=True))
    assert (3, 3, 3) == (cache.stats().entries, cache.stats().misses, cache.stats().hits)


async def everything(client: AegisClient) -> tuple[object, ...]:
    """Give a collection, a page and an answer of a type of one's own."""
    named = await client.fetch("/data-collections/14", Named)
    return await client.data_collections.get(14), named, await client.data_collections.list()


async def test_what_one_client_invalidates_is_gone_for_the_other(sandbox: Sandbox, clock: FakeClock) -> None:
    """An entry is one, whoever of those with the same key and service fetched it."""
    cache = Cache()
    async with keeping(sandbox, clock, cache) as first, keeping(sandbox, clock, cache) as second:
        await first.data_collections.get(14)
        second.data_collections.invalidate(14)
        await first.data_collections.get(14)

    assert 2 == len(sandbox.requests)


async def test_two_types_of_one_answer_share_no_entry(sandbox: Sandbox, kept: AegisClient) -> None:
    """What was decoded as one thing is not given to who wants another."""
    full = await kept.data_collections.get(14)
    name = await kept.fetch("/data-collections/14", Named)

    assert (Named, full.name) == (type(name), name.name)
    assert full is await kept.data_collections.get(14)
    assert 2 == len(sandbox.requests)


async def test_streams_go_past_it(sandbox: Sandbox, kept: AegisClient) -> None:
    """A very large collection is read as it is now, and pushes nothing out."""
    await kept.data_collections.get(14)
    before = _stats(kept)

    async with kept.data_collections.stream(14) as stream:
        runs = [run.id async for run in stream.runs()]

    assert [991] == runs
    assert 2 == len(sandbox.requests)
    assert before == _stats(kept)


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
    assert (8, len(ids)) == (_stats(client).refreshes, _stats(client).stale)
    assert len(ids) + 8 == len(server.paths)


async def test_a_refresh_is_not_bounded_by_the_deadline_of_who_began_it(sandbox: Sandbox, clock: FakeClock) -> None:
    """A caller with little time gets the old value, and the new one may take longer than that."""
    async with keeping(sandbox, clock, retry=RetryPolicy()) as client:
        await client.data_collections.get(14)
        clock.time += 31
        sandbox.fail(status=503)

        await client.with_options(deadline=0.1).data_collections.get(14)  # less than the wait for another attempt
        await settled(client)

    assert (1, 0) == (_stats(client).refreshes, _stats(client).failures)
    assert 3 == len(sandbox.requests)


@pytest.mark.parametrize("cache", [Cache(), None], ids=["with a cache", "without one"])
async def test_a_thousand_callers_at_once_make_one_request(cache: Cache | None) -> None:
    """With a cold cache or none at all they share one flight, and one frozen value."""
    async with held() as server, AegisClient(KEY, base_url=server.url, cache=cache) as client:
        calls = [asyncio.create_task(client.data_collections.get(14)) for _ in range(1000)]
        await server.came(1)
        server.let_go()
        values = await asyncio.gather(*calls)

    assert 1 == len({id(value) for value in values})
    assert ["/data-collections/14"] == server.paths
    with pytest.raises(AttributeError, match="immutable"):
        values[0].name = "mine"  # type: ignore[misc]  # which a type checker sees too


async def test_ten_thousand_callers_of_a_warm_cache_make_none(sandbox: Sandbox, kept: AegisClient) -> None:
    """What is fresh is given without a request, the same object to everybody."""
    first = await kept.data_collections.get(14)
    sandbox.clear_requests()

    values = [await kept.data_collections.get(14) for _ in range(10_000)]

    assert [] == sandbox.requests
    assert all(value is first for value in values)


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


@pytest.mark.parametrize("later", [0, 31], ids=["a fresh value", "an old one"])
async def test_a_closed_client_gives_nothing_from_it(sandbox: Sandbox, clock: FakeClock, later: float) -> None:
    """What is kept needs no request, and still a client that is closed is closed."""
    client = keeping(sandbox, clock)
    await client.data_collections.get(14)
    await client.aclose()
    clock.time += later

    with pytest.raises(ClientClosedError):
        await client.data_collections.get(14)

    assert 0 == _stats(client).refreshes


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


async def test_without_a_cache_the_age_is_zero(client: AegisClient, sandbox: Sandbox) -> None:
    """The calls that speak of age work without a cache as well."""
    aged = await client.data_collections.get_with_age(14)
    client.data_collections.invalidate(14)
    await client.data_collections.get(14, fresh=True)

    assert (14, 0.0, False) == (aged.value.id, aged.age, aged.stale)
    assert None is client.cache
    assert 2 == len(sandbox.requests)


async def test_a_failure_without_an_old_value_is_the_callers(sandbox: Sandbox, kept: AegisClient) -> None:
    """There is nothing to fall back on, so the error comes, and nothing is kept."""
    sandbox.fail(reset=True)

    with pytest.raises(APIConnectionError):
        await kept.data_collections.get(14)

    assert 0 == _stats(kept).entries


async def test_a_ping_asks_the_service_once(sandbox: Sandbox, kept: AegisClient) -> None:
    """It takes one small request whatever is kept, and its error is raised without a retry."""
    for _ in range(2):
        assert await kept.ping() >= 0.0
    sandbox.fail(status=503, times=9)
    with pytest.raises(ServerError, match="attempt 1 of 1"):
        await kept.ping()

    assert 3 == len(sandbox.requests)
    assert {"page": "1", "page_size": "1"} == sandbox.requests[0].query


@pytest.mark.parametrize("name", ["ttl", "stale_while_revalidate", "stale_if_error", "max_bytes"])
def test_a_setting_that_cannot_be_is_refused(name: str) -> None:
    """Each bound is named."""
    with pytest.raises(ConfigurationError, match=f"^cache.{name}"):
        Cache(**{name: -1})


def test_its_repr_tells_how_full_it_is() -> None:
    """It names no value and no key."""
    assert "<Cache of 0 entries, about 0 bytes>" == repr(Cache())


def _stats(client: AegisClient) -> Any:
    assert client.cache is not None
    return client.cache.stats()
