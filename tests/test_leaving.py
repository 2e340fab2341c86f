"""Claims about leaving a loop early: whichever loop and whatever way, no task and no connection of it is left."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any, Final, TypeAlias

import pytest

from aegis_async import AegisClient
from aegis_async.errors import NotFoundError
from tests.counted import Counted, counted_client

Loop: TypeAlias = Callable[[AegisClient], AsyncIterable[object]]


async def _ids_for_ever() -> AsyncIterator[int]:
    while True:
        for id_ in range(1, 21):
            yield id_


async def _runs(client: AegisClient) -> AsyncIterator[object]:
    while True:
        async with client.data_collections.stream(4) as stream:
            async for run in stream.runs():
                yield run


def _pipeline(client: AegisClient) -> AsyncIterable[object]:
    listing = client.data_collections.list(page_size=2, prefetch=4)
    return client.data_collections.get_many((summary.id async for summary in listing), concurrency=4)


LOOPS: Final[dict[str, Loop]] = {
    "items": lambda client: client.data_collections.list(page_size=2, prefetch=4),
    "items of a repair": lambda client: client.data_collections.list(page_size=2, prefetch=4, on_drift="repair"),
    "items of pages that grow": lambda client: client.data_collections.list(page_size="auto", prefetch="auto"),
    "items of a caller's type": lambda client: client.paginate("/data-collections", dict, page_size=2, prefetch=4),
    "pages": lambda client: client.data_collections.list(page_size=2, prefetch=4).pages(),
    "values": lambda client: client.data_collections.get_many(_ids_for_ever(), concurrency=4),
    "values in order": lambda client: client.data_collections.get_many(_ids_for_ever(), concurrency=4, ordered=True),
    "outcomes": lambda client: client.data_collections.get_many(_ids_for_ever(), concurrency=4).outcomes(),
    "a listing's values": _pipeline,
    "runs of a stream": _runs,
    "changes": lambda client: client.data_collections.watch(),
}


@pytest.fixture
async def counted() -> AsyncIterator[Counted]:
    async with counted_client(collections=60) as made:
        yield made


EVERY_LOOP = pytest.mark.parametrize("loop", LOOPS.values(), ids=list(LOOPS))


@EVERY_LOOP
async def test_a_break_leaves_nothing(counted: Counted, loop: Loop) -> None:
    """A few turns after a bare ``break`` nothing is left."""
    async for _ in loop(counted.client):
        break

    assert (0, 0) == await counted.left_soon()


@EVERY_LOOP
async def test_an_exception_leaves_nothing(counted: Counted, loop: Loop) -> None:
    """A few turns after an exception in the body of the loop nothing is left."""
    with pytest.raises(RuntimeError, match="of mine"):
        await _failing(loop(counted.client))

    assert (0, 0) == await counted.left_soon()


@EVERY_LOOP
@pytest.mark.parametrize("given", [0, 1, 3])
async def test_a_cancellation_leaves_nothing(counted: Counted, loop: Loop, given: int) -> None:
    """When a consumer that was cancelled as it waited, for a first or another result, has ended, nothing is left."""
    reached = asyncio.Event()
    consumer = asyncio.create_task(_consume(loop(counted.client), given, reached))
    await reached.wait()
    await asyncio.sleep(0)

    consumer.cancel()
    (outcome,) = await asyncio.gather(consumer, return_exceptions=True)

    assert isinstance(outcome, asyncio.CancelledError)
    assert (0, 0) == counted.left


@EVERY_LOOP
async def test_a_cancellation_in_the_body_leaves_nothing(counted: Counted, loop: Loop) -> None:
    """A few turns after a consumer was cancelled at its own work, between two results, nothing is left."""
    working = asyncio.Event()
    consumer = asyncio.create_task(_working(loop(counted.client), working))
    await working.wait()

    consumer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer
    del consumer  # which holds the frame, and so the iterator

    assert (0, 0) == await counted.left_soon()


async def _failing(results: AsyncIterable[object]) -> None:
    async for _ in results:
        raise RuntimeError("an error of mine")


async def _working(results: AsyncIterable[object], working: asyncio.Event) -> None:
    async for _ in results:
        working.set()
        await asyncio.Event().wait()


async def _consume(results: AsyncIterable[object], given: int, reached: asyncio.Event) -> None:
    came = 0
    if not given:
        reached.set()
    async for _ in results:
        came += 1
        if came == given:
            reached.set()


CLOSABLE = {name: loop for name, loop in LOOPS.items() if loop is not _runs}


@pytest.mark.parametrize("loop", CLOSABLE.values(), ids=list(CLOSABLE))
async def test_closing_ends_who_waits_in_another_task(counted: Counted, loop: Loop) -> None:
    """When ``aclose()`` returns no request is left, and a step that another task waits in is the end of its loop."""
    counted.sandbox.fail(delay=60.0, times=None)
    iterator: Any = aiter(loop(counted.client))
    steps = [asyncio.ensure_future(anext(iterator)) for _ in range(3)]
    while not counted.client.stats().in_flight:
        await asyncio.sleep(0)

    await iterator.aclose()

    assert 0 == counted.left[1]
    errors = await asyncio.gather(*steps, return_exceptions=True)
    assert [StopAsyncIteration] * 3 == list(map(type, errors))


SHARED = {name: CLOSABLE[name] for name in ("items", "items of pages that grow", "items of a caller's type")}


@pytest.mark.parametrize("loop", SHARED.values(), ids=list(SHARED))
async def test_steps_that_several_tasks_take_at_once_lose_nothing(counted: Counted, loop: Loop) -> None:
    """Each item of a listing goes to one of them."""
    iterator: Any = aiter(loop(counted.client))

    first = await asyncio.gather(*(anext(iterator) for _ in range(5)))
    rest = [item async for item in iterator]

    assert [*range(1, 61)] == sorted(_id_of(item) for item in [*first, *rest])


def _id_of(item: Any) -> int:
    return int(item["id"] if isinstance(item, dict) else item.id)


async def test_an_error_that_ends_a_fan_out_is_told_once(counted: Counted) -> None:
    """Of several tasks that wait for one result, one hears why there is none, and the others that it is the end."""
    iterator: Any = aiter(counted.client.data_collections.get_many([999]))

    errors = await asyncio.gather(*(anext(iterator) for _ in range(3)), return_exceptions=True)

    assert [NotFoundError, StopAsyncIteration, StopAsyncIteration] == list(map(type, errors))
