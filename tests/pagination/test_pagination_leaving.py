"""Claims about leaving a listing early: no task and no connection of it is left, in whatever way."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from aegis_async import AegisClient, Paginator
from aegis_async._pagination import Prefetch
from aegis_async.errors import ClientClosedError, RequestValidationError
from aegis_async.models import DataCollectionSummary
from aegis_async.sandbox import Sandbox
from tests.counted import Counted, counted_client
from tests.pagination.service import Service


@pytest.mark.parametrize("kind", ["items", "pages"])
async def test_closing_leaves_nothing_in_flight(kind: str) -> None:
    """After ``aclose()`` no page is being fetched, and the iterator has ended."""
    service = Service(list(range(20)), 2)
    paginator = service.paginator(prefetch=4)
    iterator: Any = aiter(paginator) if kind == "items" else paginator.pages()
    await anext(iterator)

    await iterator.aclose()

    assert 0 == service.in_flight
    with pytest.raises(StopAsyncIteration):
        await anext(iterator)


async def test_a_bare_break_leaves_nothing_in_flight_a_few_turns_later() -> None:
    """Breaking out of the loop cancels what was fetched ahead, without a word."""
    service = Service(list(range(20)), 2)

    async for _item in service.paginator(prefetch=4):
        break
    gc.collect()
    for _ in range(5):
        await asyncio.sleep(0)

    assert 0 == service.in_flight


async def test_cancelling_the_consumer_ends_what_was_fetched_ahead() -> None:
    """A consumer that is cancelled while it waits leaves no page in flight and stays cancelled."""
    service = Service(list(range(20)), 2)
    service.gates[2] = asyncio.Event()

    async def consume() -> None:
        async for _page in service.paginator(prefetch=3).pages():
            pass

    consumer = asyncio.create_task(consume())
    while 4 not in service.asked:
        await asyncio.sleep(0)
    consumer.cancel()

    with pytest.raises(asyncio.CancelledError):
        await consumer
    assert 0 == service.in_flight


async def test_a_client_that_closes_is_not_an_end_of_the_listing() -> None:
    """A walk whose client is closed under it raises, rather than look finished or cancelled."""
    service = Service(list(range(20)), 2)
    service.gates[2] = asyncio.Event()
    pages = service.paginator(prefetch=3).pages()
    await anext(pages)
    waiting = asyncio.ensure_future(anext(pages))
    await asyncio.sleep(0)

    await service.owner.aclose()

    with pytest.raises(ClientClosedError):
        await waiting


@pytest.mark.parametrize("prefetch", [0, 1, 3, "auto"])
async def test_cancelling_at_any_turn_leaves_nothing_in_flight(prefetch: Prefetch) -> None:
    """Whichever turn of the loop a consumer is cancelled in, a later sweep's included, its pages end before it does."""
    ended = False
    turns = 0
    while not ended:
        service = Service(list(range(12)), 2)
        paginator = service.paginator(prefetch=prefetch, on_drift="repair", skim_size=3)
        consumer = asyncio.create_task(paginator.collect())
        for _ in range(turns):
            await asyncio.sleep(0)
        ended = consumer.done()
        consumer.cancel()
        (outcome,) = await asyncio.gather(consumer, return_exceptions=True)

        assert ended or isinstance(outcome, asyncio.CancelledError)
        assert 0 == service.in_flight
        turns += 1

    assert turns > 10


@pytest.fixture
async def counted() -> AsyncIterator[Counted]:
    async with counted_client(collections=20) as made:
        yield made


def listing(counted: Counted, on_drift: Any) -> Paginator[DataCollectionSummary]:
    """Give a listing with pages ahead and sweeps behind."""
    return counted.client.data_collections.list(page_size=2, prefetch=4, on_drift=on_drift)


DRIFT = pytest.mark.parametrize("on_drift", ["warn", "repair"])


@DRIFT
async def test_a_whole_walk_leaves_nothing(counted: Counted, on_drift: str) -> None:
    """After the last item nothing is left."""
    assert 20 == len(await listing(counted, on_drift).collect())
    assert (0, 0) == counted.left


@DRIFT
async def test_a_part_that_was_taken_leaves_nothing(counted: Counted, on_drift: str) -> None:
    """``first()``, ``take()`` and ``collect(limit=)`` end what was fetched ahead before they return."""
    part = listing(counted, on_drift)

    assert await part.first() is not None
    assert (0, 0) == counted.left
    assert 3 == len(await part.take(3))
    assert (0, 0) == counted.left
    assert 5 == len(await part.collect(limit=5))
    assert (0, 0) == counted.left


@DRIFT
@pytest.mark.parametrize("kind", ["items", "pages"])
async def test_leaving_a_context_leaves_nothing(counted: Counted, on_drift: str, kind: str) -> None:
    """At the end of ``async with``, by a break or an exception in the loop's body, nothing is left."""
    iterator: Any = aiter(listing(counted, on_drift)) if kind == "items" else listing(counted, on_drift).pages()

    with pytest.raises(RuntimeError, match="of mine"):
        async with iterator as entered:
            async for _ in entered:
                assert counted.left[0] > 0
                raise RuntimeError("an error of mine")

    assert (0, 0) == counted.left


@DRIFT
async def test_closing_the_iterator_leaves_nothing(counted: Counted, on_drift: str) -> None:
    """After ``aclose()`` nothing is left."""
    items = aiter(listing(counted, on_drift))
    await anext(items)

    await items.aclose()

    assert (0, 0) == counted.left


@DRIFT
async def test_a_bare_break_leaves_nothing_after_a_few_turns(counted: Counted, on_drift: str) -> None:
    """After a ``break`` the tasks are gone in the loop's next few turns, and their connections with them."""
    async for _ in listing(counted, on_drift):
        break

    assert (0, 0) == await counted.left_soon()


@DRIFT
async def test_an_error_in_a_bare_loop_leaves_nothing_after_a_few_turns(counted: Counted, on_drift: str) -> None:
    """An exception in the body of a loop that holds its iterator no longer ends the rest as well."""
    with pytest.raises(RuntimeError, match="of mine"):
        await looped(counted, on_drift)

    assert (0, 0) == await counted.left_soon()


async def looped(counted: Counted, on_drift: str) -> None:
    """Fail in the middle of a loop."""
    async for _ in listing(counted, on_drift):
        raise RuntimeError("an error of mine")


@DRIFT
async def test_cancelling_leaves_nothing(counted: Counted, on_drift: str) -> None:
    """A consumer that is cancelled in the middle leaves nothing when it has ended."""
    begun = asyncio.Event()

    async def consume() -> None:
        async for _ in listing(counted, on_drift):
            begun.set()

    consumer = asyncio.create_task(consume())
    await begun.wait()
    consumer.cancel()

    with pytest.raises(asyncio.CancelledError):
        await consumer
    assert (0, 0) == counted.left


@DRIFT
async def test_an_error_of_the_service_leaves_nothing(counted: Counted, on_drift: str) -> None:
    """A page that fails for good leaves nothing."""
    counted.sandbox.fail(status=422, times=1)

    with pytest.raises(RequestValidationError):
        await listing(counted, on_drift).collect()
    assert (0, 0) == counted.left


@pytest.mark.parametrize("pages", [True, False], ids=["pages", "items"])
async def test_an_iterator_that_has_ended_stays_ended(client: AegisClient, sandbox: Sandbox, pages: bool) -> None:
    """After the last item or page it gives nothing, and asks for nothing."""
    whole = client.data_collections.list(page_size=10)
    iterator: AsyncIterator[object] = whole.pages() if pages else aiter(whole)
    first = [each async for each in iterator]

    again = [each async for each in iterator]

    assert (2 if pages else 20) == len(first)
    assert [] == again
    assert 2 == len(sandbox.requests)
