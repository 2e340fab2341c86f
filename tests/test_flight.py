"""Claims about identical requests in flight: they share one, and nobody's end is anybody else's."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from multidict import CIMultiDict

from aegis_async import AegisClient, RetryPolicy, deadline
from aegis_async._session._request import RawResponse
from aegis_async.errors import ClientClosedError, DeadlineExceededError, NotFoundError
from aegis_async.models import DataCollection
from aegis_async.sandbox import Sandbox
from tests.conftest import FakeClock
from tests.decode.documents import collection
from tests.held import Held, held
from tests.session.wire import KEY


@pytest.fixture
async def server() -> AsyncIterator[Held]:
    async with held() as running:
        yield running


@pytest.fixture
async def shared(server: Held) -> AsyncIterator[AegisClient]:
    async with AegisClient(KEY, base_url=server.url) as made:
        yield made


def asked(client: AegisClient, id_: int = 14) -> asyncio.Task[DataCollection]:
    """Begin a get in a task of its own."""
    return asyncio.create_task(client.data_collections.get(id_))


async def test_many_callers_make_one_request(server: Held, shared: AegisClient) -> None:
    """Fifty calls for one collection are one request, and all get the same frozen value."""
    calls = [asked(shared) for _ in range(50)]
    await server.came(1)
    server.let_go()

    values = await asyncio.gather(*calls)

    assert ["/data-collections/14"] == server.paths
    assert all(value is values[0] for value in values)
    assert (50 - 1, 1) == (shared.stats().shared, shared.stats().attempts)


async def test_a_flight_that_has_landed_is_not_joined(server: Held, shared: AegisClient) -> None:
    """The next call after an answer asks anew: sharing is no cache."""
    for number in range(2):
        call = asked(shared)
        await server.came(number + 1)
        server.let_go()
        await call

    assert 2 == len(server.paths)


async def test_a_flight_that_lands_at_once_reaches_who_began_it(
    shared: AegisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that meets no wait at all gives its value and its error to the caller who made it."""
    shared._session.tasks()
    sent = [
        RawResponse(404, b"{}", CIMultiDict()),
        RawResponse(200, msgspec.json.encode(collection()), CIMultiDict()),
    ]

    async def send(*_: object) -> RawResponse:
        return sent.pop()

    monkeypatch.setattr(shared._session._attempts._transport, "send", send)

    assert 14 == (await shared.data_collections.get(14)).id
    with pytest.raises(NotFoundError):
        await shared.data_collections.get(14)


async def test_different_requests_fly_apart(server: Held, shared: AegisClient) -> None:
    """Another id, other parameters, another type and other options are requests of their own."""
    calls = [
        asked(shared),
        asked(shared, 15),
        asked(shared.with_options(timeout=9)),
        asked(shared.with_options(retry=RetryPolicy(max_attempts=2))),
        asyncio.create_task(shared.data_collections.get(14, shared=False)),
        asyncio.create_task(shared.fetch("/data-collections/14", bytes)),
    ]
    await server.came(6)

    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert 6 == shared.stats().attempts


async def test_bulk_goes_past_it(server: Held, shared: AegisClient) -> None:
    """Equal requests of the bulk lane are made each by itself."""
    calls = [asked(shared.with_options(priority="bulk")) for _ in range(3)]
    await server.came(3)
    server.let_go()

    await asyncio.gather(*calls)

    assert 3 == len(server.paths)


async def test_it_can_be_turned_off(server: Held) -> None:
    """With ``single_flight=False`` each call is a request."""
    async with AegisClient(KEY, base_url=server.url, single_flight=False) as client:
        calls = [asked(client) for _ in range(3)]
        await server.came(3)
        server.let_go()
        await asyncio.gather(*calls)

    assert 3 == len(server.paths)


async def test_a_value_that_can_change_is_not_shared(server: Held, shared: AegisClient) -> None:
    """Two callers who fetch a dict get one each, from a request each."""
    calls = [asyncio.create_task(shared.fetch("/data-collections/14", dict[str, msgspec.Raw])) for _ in range(2)]
    await server.came(2)
    server.let_go()

    first, second = await asyncio.gather(*calls)

    assert first == second
    assert first is not second


async def test_the_first_ones_cancellation_ends_only_that_one(server: Held, shared: AegisClient) -> None:
    """When the caller who began a flight is cancelled, the others get their value from the same request."""
    first, second, third = (asked(shared) for _ in range(3))
    await server.came(1)

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    server.let_go()

    assert 14 == (await second).id
    assert (await third) is (await second)
    assert 1 == len(server.paths)


async def test_the_last_one_leaving_ends_the_flight(server: Held, shared: AegisClient) -> None:
    """When nobody waits any more, the request is gone from the wire when the last cancellation returns."""
    calls = [asked(shared) for _ in range(3)]
    await server.came(1)

    for call in calls:
        call.cancel()
        await asyncio.wait([call])

    assert 0 == shared.stats().in_flight
    assert 1 == shared.stats().failed


async def test_an_error_reaches_each_as_one_of_its_own(sandbox: Sandbox, client: AegisClient) -> None:
    """Three callers of what is not there get three equal errors that share nothing a caller could change."""
    sandbox.fail(status=404, delay=0.01)

    errors = await asyncio.gather(*(client.data_collections.get(14) for _ in range(3)), return_exceptions=True)

    assert 3 == len({id(error) for error in errors})
    assert 1 == len({str(error) for error in errors})
    assert all(isinstance(error, NotFoundError) and error.status == 404 for error in errors)
    assert 1 == len(sandbox.requests)


async def test_a_deadline_ends_one_waiter_and_not_the_flight(server: Held, shared: AegisClient) -> None:
    """The caller with the deadline gets its error, the one without gets the value, from one request."""
    patient = asked(shared)
    await server.came(1)

    with pytest.raises(DeadlineExceededError, match="deadline of 0.01 s: spent on an attempt") as caught:
        await shared.with_options(deadline=0.01).data_collections.get(14)
    server.let_go()

    assert ("attempt", 0.01, 1) == (caught.value.phase, caught.value.seconds, caught.value.attempts)
    assert 14 == (await patient).id
    assert 1 == len(server.paths)


async def test_the_first_ones_deadline_is_not_the_flights(server: Held, shared: AegisClient) -> None:
    """A flight begun inside a deadline block serves the callers outside of it after the deadline."""

    async def hurried() -> DataCollection:
        async with deadline(0.2):
            return await shared.data_collections.get(14)

    first = asyncio.create_task(hurried())
    await server.came(1)
    second = asked(shared)
    with pytest.raises(DeadlineExceededError):
        await first
    server.let_go()

    assert 14 == (await second).id
    assert 1 == len(server.paths)


@pytest.mark.parametrize(
    ("fault", "phase"),
    [({"status": 503}, "backoff"), ({"status": 429, "retry_after": 30}, "pause")],
    ids=["backoff", "pause"],
)
async def test_a_wait_that_is_too_long_for_one_waiter_ends_it_at_once(
    sandbox: Sandbox, client: AegisClient, clock: FakeClock, fault: dict[str, int], phase: str
) -> None:
    """When a flight begins a wait, whoever has less time hears of it then and there, with the reason."""
    sandbox.fail(**fault)  # type: ignore[arg-type]  # one of two shapes
    clock.hold = asyncio.Event()
    patient = asked(client)
    hurried = asked(client.with_options(deadline=0.4))

    with pytest.raises(DeadlineExceededError) as caught:
        await hurried
    with pytest.raises(DeadlineExceededError) as late:
        await client.with_options(deadline=0.4).data_collections.get(14)
    clock.hold.set()

    assert (phase, phase) == (caught.value.phase, late.value.phase)
    assert 14 == (await patient).id
    assert 2 == len(sandbox.requests)


async def test_closing_the_client_ends_every_passenger(server: Held, shared: AegisClient) -> None:
    """Those who wait for a flight when the client closes get the client's error, not a cancellation."""
    calls = [asked(shared) for _ in range(2)]
    await server.came(1)

    await shared.aclose()

    for call in calls:
        with pytest.raises(ClientClosedError):
            await call


async def test_pages_are_shared_too(sandbox: Sandbox, client: AegisClient) -> None:
    """Two browser tabs that list the same page at once are one request."""
    pages = await asyncio.gather(*(client.data_collections.list().collect() for _ in range(5)))

    assert all(page == pages[0] for page in pages)
    assert 1 == len(sandbox.requests)


async def test_a_flight_that_never_took_off_strands_nobody(shared: AegisClient) -> None:
    """A client that is closed before the flight takes its first step ends it for whoever waits, as one that flies."""
    call = asked(shared)
    await asyncio.sleep(0)  # it waits for its flight, which is a task that has not begun (before Python 3.12)

    await shared.aclose()

    with pytest.raises(ClientClosedError):
        async with asyncio.timeout(5):
            await call
