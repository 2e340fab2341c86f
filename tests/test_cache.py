"""Claims about the cache: fresh values without a request, old ones rather than none, and a bound on memory."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from aegis_async import AegisClient, Cache
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
from tests.keeping import keeping, settled, stats_of


@pytest.fixture
async def kept(sandbox: Sandbox, clock: FakeClock) -> AsyncIterator[AegisClient]:
    async with keeping(sandbox, clock) as made:
        yield made


async def test_a_fresh_value_needs_no_request(sandbox: Sandbox, kept: AegisClient, clock: FakeClock) -> None:
    """Within ``ttl`` the same frozen value is given again and again."""
    first = await kept.data_collections.get(14)
    clock.time += 29
    aged = await kept.data_collections.get_with_age(14)

    assert aged.value is first
    assert (29.0, False) == (aged.age, aged.stale)
    assert 1 == len(sandbox.requests)
    assert (1, 1) == (stats_of(kept).misses, stats_of(kept).hits)


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
    assert 1 == stats_of(client).failures


@pytest.mark.parametrize(("age", "refreshes"), [(31, 2), (331, 0)], ids=["in the background", "as somebody waits"])
async def test_a_service_that_is_down_is_not_asked_by_everybody(
    sandbox: Sandbox, kept: AegisClient, clock: FakeClock, age: float, refreshes: int
) -> None:
    """After a failure the old value comes without a request for a second, so that an outage makes no stampede."""
    await kept.data_collections.get(14)
    clock.time += age
    sandbox.fail(status=503, times=10)

    for _ in range(50):
        await kept.data_collections.get(14)
        await settled(kept)
    during = len(sandbox.requests)
    clock.time += 1
    await kept.data_collections.get(14)
    await settled(kept)

    assert (2, 3) == (during, len(sandbox.requests))
    assert (refreshes, 2) == (stats_of(kept).refreshes, stats_of(kept).failures)


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
    assert 0 == stats_of(kept).entries

    await kept.data_collections.get(14)
    clock.time += 331
    sandbox.fail(status=status)
    with pytest.raises(kind):
        await kept.data_collections.get(14)
    assert (0, 0) == (stats_of(kept).entries, stats_of(kept).size)


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
    left = stats_of(kept).entries
    assert kept.cache is not None
    kept.cache.clear()

    assert (2, 0, 0) == (left, stats_of(kept).entries, stats_of(kept).size)


async def test_bulk_neither_reads_nor_fills_it(sandbox: Sandbox, kept: AegisClient) -> None:
    """A fan-out gets what is there now, and pushes nothing out."""
    await kept.data_collections.get(14)

    await kept.data_collections.get_many([14, 15]).collect()
    await kept.with_options(priority="bulk").data_collections.get(14)

    assert 4 == len(sandbox.requests)
    assert 1 == stats_of(kept).entries


@pytest.mark.parametrize(
    ("how", "requests"),
    [
        ({"on_drift": "ignore"}, 1),
        ({"on_drift": "warn"}, 1),
        ({"on_drift": "raise"}, 2),
        ({"on_drift": "repair"}, 2),
        ({"page_size": "auto"}, 2),
    ],
    ids=str,
)
async def test_a_listing_that_must_know_how_it_is_asks_the_service(
    sandbox: Sandbox, kept: AegisClient, how: dict[str, Any], requests: int
) -> None:
    """Pages are kept like other answers, but a listing that raises, repairs or times its pages reads what is there."""
    for _ in range(2):
        await kept.data_collections.list(**how).collect()

    assert requests == len(sandbox.requests)


async def test_a_value_that_can_change_is_not_kept(kept: AegisClient) -> None:
    """A dict that a caller may change is each caller's own."""
    await kept.fetch("/data-collections/14", dict[str, Any])

    assert 0 == stats_of(kept).entries


async def test_the_least_recently_used_goes_first(sandbox: Sandbox, clock: FakeClock) -> None:
    """The bound on memory holds, and what was used last stays."""
    async with keeping(sandbox, clock) as client:
        sizes: list[int] = []
        for id_ in (1, 2, 3):
            await client.data_collections.get(id_)
            sizes.append(stats_of(client).size - sum(sizes))
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

    assert (0, 0) == (stats_of(client).entries, stats_of(client).evicted)


async def test_streams_go_past_it(sandbox: Sandbox, kept: AegisClient) -> None:
    """A very large collection is read as it is now, and pushes nothing out."""
    await kept.data_collections.get(14)
    before = stats_of(kept)

    async with kept.data_collections.stream(14) as stream:
        runs = [run.id async for run in stream.runs()]

    assert [991] == runs
    assert 2 == len(sandbox.requests)
    assert before == stats_of(kept)


@pytest.mark.parametrize("later", [0, 31], ids=["a fresh value", "an old one"])
async def test_a_closed_client_gives_nothing_from_it(sandbox: Sandbox, clock: FakeClock, later: float) -> None:
    """What is kept needs no request, and still a client that is closed is closed."""
    client = keeping(sandbox, clock)
    await client.data_collections.get(14)
    await client.aclose()
    clock.time += later

    with pytest.raises(ClientClosedError):
        await client.data_collections.get(14)

    assert 0 == stats_of(client).refreshes


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

    assert 0 == stats_of(kept).entries


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
