"""Claims about who shares what a cache keeps: all who may see it and want it in the same form, and nobody else."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from aegis_async import AegisClient, Cache
from aegis_async.errors import AuthenticationError
from aegis_async.sandbox import Sandbox
from tests.conftest import FakeClock
from tests.held import held
from tests.keeping import Named, keeping
from tests.session.wire import KEY


@pytest.fixture
async def kept(sandbox: Sandbox, clock: FakeClock) -> AsyncIterator[AegisClient]:
    async with keeping(sandbox, clock) as made:
        yield made


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
