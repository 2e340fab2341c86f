"""Claims about fetching many ids at once: bounded, complete, and gone when it ends."""

import asyncio
import gc
import itertools
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_async._fanout import FanOut, FanOutStats, Job, Outcome
from aegis_async.errors import (
    AegisError,
    AuthenticationError,
    ClientClosedError,
    InvalidArgumentError,
    NotFoundError,
    ServerError,
)
from tests.squares import Service, settle


@given(count=st.integers(0, 40), concurrency=st.integers(1, 9), ordered=st.booleans())
def test_every_id_gives_its_value_once(count: int, concurrency: int, ordered: bool) -> None:
    """Whatever the number of ids and workers, each id gives one value, in order where order was asked for."""
    service = Service()

    async def collect() -> list[int]:
        return await service.fan_out(range(count), concurrency=concurrency, ordered=ordered).collect()

    values = asyncio.run(collect())

    expected = [id_ * id_ for id_ in range(count)]
    assert expected == (values if ordered else sorted(values))
    assert service.most_in_flight <= concurrency


async def test_ids_whose_number_is_known_begin_no_more_tasks_than_they_are() -> None:
    """However many may be in flight, three ids begin a task each, and one for them all."""
    begun: list[asyncio.Task[Any]] = []
    loop = asyncio.get_running_loop()

    def begin(_: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        begun.append(asyncio.Task(coroutine, loop=loop, **options))
        return begun[-1]

    loop.set_task_factory(begin)
    values = await Service().fan_out([1, 2, 3], concurrency=1_000).collect()

    assert [1, 4, 9] == values
    assert 1 + 3 == len(begun)


async def test_a_length_that_is_no_number_of_ids_loses_none() -> None:
    """A source of ids that tells how many wait in it, none yet, is read to its end, as many at a time as asked for."""

    class Waiting(deque[int]):
        async def __aiter__(self) -> AsyncIterator[int]:
            for id_ in (1, 2, 3):
                yield id_

    service = Service()

    assert [1, 4, 9] == sorted(await service.fan_out(Waiting(), concurrency=3).collect())
    assert 3 == service.most_in_flight


async def test_repeated_ids_each_give_their_own_result() -> None:
    """An id given three times gives three outcomes."""
    outcomes = [outcome async for outcome in Service().fan_out([4, 4, 4]).outcomes()]

    assert [Outcome(4, 16)] * 3 == outcomes


async def test_values_come_as_they_arrive() -> None:
    """Unordered, a slow id does not hold up those behind it."""
    service = Service()
    service.gate(1)
    values = aiter(service.fan_out([1, 2, 3]))

    assert {4, 9} == {await anext(values), await anext(values)}
    service.gates[1].set()
    assert 1 == await anext(values)


async def test_ordered_values_wait_behind_a_slow_head_and_do_not_grow() -> None:
    """Ordered, ids behind a slow head are fetched only as far as twice the concurrency."""
    service = Service()
    service.gate(0)
    fan_out = service.fan_out(itertools.count(), ordered=True)

    async with aiter(fan_out) as values:
        head = asyncio.ensure_future(anext(values))
        await settle()

        assert list(range(6)) == service.begun
        service.gates[0].set()
        assert 0 == await head
        assert 1 == await anext(values)


async def test_a_slow_consumer_holds_a_bounded_number_of_results() -> None:
    """With a consumer that takes nothing more, an endless source is read no further than twice the concurrency."""
    service = Service()
    fan_out = service.fan_out(itertools.count())

    async with aiter(fan_out) as values:
        await anext(values)
        await settle()

        assert 2 * 3 == fan_out.stats.waiting
        assert 2 * 3 + 1 == fan_out.stats.taken


async def test_the_source_may_be_asynchronous_and_is_closed() -> None:
    """An async generator is read lazily and closed when the fan-out ends early."""
    closed = asyncio.Event()

    async def ids() -> AsyncIterator[int]:
        try:
            for id_ in itertools.count():
                yield id_
        finally:
            closed.set()

    async with aiter(Service().fan_out(ids())) as values:
        await anext(values)

    assert closed.is_set()


async def test_a_source_without_an_end_of_its_own_will_do() -> None:
    """An asynchronous iterable that has no ``aclose`` is read as any other."""

    class Source:
        def __init__(self) -> None:
            self.left = [2, 1]

        def __aiter__(self) -> "Source":
            return self

        async def __anext__(self) -> int:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop()

    assert [1, 4] == await Service().fan_out(Source(), ordered=True).collect()


async def test_a_sources_own_exception_ends_the_fan_out() -> None:
    """What the source raises comes out after the values that were ready, whatever the mode."""

    def ids() -> Iterator[int]:
        yield 2
        raise OSError("the file of ids is gone")

    service = Service()
    found: list[int] = []

    with pytest.raises(OSError, match="the file of ids is gone"):
        async for value in service.fan_out(ids(), on_error="skip", concurrency=1):
            found.append(value)  # noqa: PERF401 - kept up to the error

    assert [4] == found
    assert 0 == service.in_flight


async def test_raise_gives_the_error_that_came_first_and_ends_the_rest() -> None:
    """The first error in time comes out once everything else is gone."""
    first, second = ServerError("first", status=500), ServerError("second", status=500)
    service = Service(_1=second, _2=first)
    service.gate(1, 3)

    with pytest.raises(ServerError, match="first") as caught:
        await service.fan_out([1, 2, 3]).collect()

    assert first is caught.value
    assert 0 == service.in_flight
    assert 0 == len(service.owner._tasks)


async def test_of_two_errors_in_one_turn_the_first_is_raised() -> None:
    """When a second id fails before the first failure has ended it, the first is still the one raised."""
    first = ServerError("first", status=500)
    service = Service(_1=first, _2=ServerError("second", status=500))

    with pytest.raises(ServerError) as caught:
        await service.fan_out([1, 2]).collect()

    assert first is caught.value


async def test_raise_gives_what_was_ready_before_the_error() -> None:
    """Values fetched before the error are given before it: an error loses nothing already fetched."""
    service = Service(_3=NotFoundError("gone", status=404))
    found: list[int] = []

    with pytest.raises(NotFoundError):
        async for value in service.fan_out([1, 2, 3, 4], concurrency=1, ordered=True):
            found.append(value)  # noqa: PERF401 - kept up to the error

    assert [1, 4] == found
    assert [1, 2, 3] == service.begun


async def test_skip_counts_and_logs_what_it_skips(caplog: pytest.LogCaptureFixture) -> None:
    """Skipped ids leave a warning each and a count, and the rest comes."""
    service = Service(_2=NotFoundError("gone", status=404))
    fan_out = service.fan_out([1, 2, 3], on_error="skip", ordered=True)

    with caplog.at_level(logging.WARNING, "aegis_async"):
        values = await fan_out.collect()

    assert [1, 9] == values
    assert FanOutStats(taken=3, fetched=2, failed=1, waiting=0) == fan_out.stats
    assert ["skipped id 2: gone"] == caplog.messages


@pytest.mark.parametrize("on_error", ["raise", "skip"])
async def test_outcomes_are_values_whatever_the_mode(on_error: str) -> None:
    """``outcomes()`` gives one outcome an id, the error beside its id, and goes on."""
    gone = NotFoundError("gone", status=404)
    wrong = InvalidArgumentError("id must be at least 1, not 0")
    service = Service(_2=gone, _0=wrong)

    outcomes = [o async for o in service.fan_out([1, 2, 0, 3], on_error=on_error, ordered=True).outcomes()]

    assert [Outcome(1, 1), Outcome(2, error=gone), Outcome(0, error=wrong), Outcome(3, 9)] == outcomes


@pytest.mark.parametrize("error", [AuthenticationError("refused", status=401), ClientClosedError("closed")], ids=repr)
@pytest.mark.parametrize("mode", ["raise", "skip", "outcomes"])
async def test_what_is_wrong_for_every_id_ends_every_mode(error: AegisError, mode: str) -> None:
    """A refused key and a closed client end the fan-out, also where errors are values."""
    service = Service(_2=error)
    fan_out = service.fan_out([1, 2, 3, 4], concurrency=1, on_error="skip" if mode == "outcomes" else mode)
    results: Any = fan_out.outcomes() if mode == "outcomes" else aiter(fan_out)

    with pytest.raises(type(error)) as caught:
        async for _ in results:
            pass

    assert error is caught.value
    assert [1, 2] == service.begun


async def test_a_bug_in_a_fetch_ends_the_fan_out() -> None:
    """An exception that is none of ours is nobody's outcome."""
    service = Service()

    async def bug(_id: int) -> int:
        raise ZeroDivisionError

    fan_out = FanOut(Job([1], bug, lambda: service.owner, 1, ordered=False, on_error="skip"))

    with pytest.raises(ZeroDivisionError):
        async for _ in fan_out.outcomes():
            pass


@pytest.mark.parametrize("kind", ["values", "outcomes"])
async def test_closing_leaves_nothing(kind: str) -> None:
    """After ``aclose()`` no id is in flight, no task is left, and the iterator has ended."""
    service = Service()
    fan_out = service.fan_out(itertools.count())
    results: Any = aiter(fan_out) if kind == "values" else fan_out.outcomes()
    await anext(results)

    await results.aclose()

    assert (0, 0) == (service.in_flight, len(service.owner._tasks))
    with pytest.raises(StopAsyncIteration):
        await anext(results)


async def test_closing_before_the_first_result_begins_nothing() -> None:
    """An iterator that is closed unused has asked for nothing."""
    service = Service()

    async with aiter(service.fan_out([1, 2])):
        pass

    assert [] == service.begun


async def test_exhaustion_leaves_nothing() -> None:
    """When the last value was given and the loop ends, no task is left."""
    service = Service()

    async for _ in service.fan_out(range(10)):
        pass

    assert 0 == len(service.owner._tasks)


async def test_a_bare_break_leaves_nothing_a_few_turns_later() -> None:
    """Breaking out of the loop cancels the workers as soon as nothing refers to the iterator."""
    service = Service()

    async for _ in service.fan_out(itertools.count()):
        break
    gc.collect()
    await settle()

    assert (0, 0) == (service.in_flight, len(service.owner._tasks))


async def test_an_exception_in_the_loops_body_leaves_nothing() -> None:
    """An error of the caller's own inside ``async with`` ends the workers before it goes on."""
    service = Service()

    with pytest.raises(ZeroDivisionError):
        async with aiter(service.fan_out(itertools.count())) as values:
            async for value in values:
                _ = value / 0

    assert (0, 0) == (service.in_flight, len(service.owner._tasks))


async def test_cancelling_the_consumer_ends_the_workers() -> None:
    """A consumer that is cancelled while it waits leaves nothing in flight and stays cancelled."""
    service = Service()
    service.gate(*range(10))
    consumer = asyncio.create_task(service.fan_out(range(10)).collect())
    await settle()

    consumer.cancel()

    with pytest.raises(asyncio.CancelledError):
        await consumer
    assert (0, 0) == (service.in_flight, len(service.owner._tasks))


@pytest.mark.parametrize("turns", [0, 20])
async def test_a_client_that_closes_is_not_an_end_of_the_ids(turns: int) -> None:
    """A fan-out whose client is closed under it raises, rather than look finished, however early that was."""
    service = Service()
    service.gate(*range(10))
    values = aiter(service.fan_out(range(10)))
    waiting = asyncio.ensure_future(anext(values))
    await asyncio.sleep(0)
    for _ in range(turns):
        await asyncio.sleep(0)

    await service.owner.aclose()

    with pytest.raises(ClientClosedError):
        await waiting


async def test_a_source_that_is_cancelled_is_not_an_end_of_the_ids() -> None:
    """A source that ends by a cancellation of its own does not pass for one that ended well."""

    async def ids() -> AsyncIterator[int]:
        yield 1
        raise asyncio.CancelledError

    with pytest.raises(ClientClosedError):
        await Service().fan_out(ids(), concurrency=1).collect()


async def test_an_iterator_is_its_own_iterator() -> None:
    """``aiter`` of a running iterator gives itself, so that it can be passed on."""
    fan_out = Service().fan_out([1])
    values, outcomes = aiter(fan_out), fan_out.outcomes()

    assert aiter(values) is values
    assert aiter(outcomes) is outcomes


async def test_each_iteration_begins_anew() -> None:
    """A fan-out over a list can be walked twice."""
    fan_out = Service().fan_out([1, 2])

    assert [1, 4] == sorted(await fan_out.collect())
    assert [1, 4] == sorted(await fan_out.collect())


async def test_a_fault_in_closing_the_source_comes_out() -> None:
    """What the source raises while it is closed is not swallowed."""

    class Source:
        def __aiter__(self) -> "Source":
            return self

        async def __anext__(self) -> int:
            raise StopAsyncIteration

        async def aclose(self) -> None:
            raise OSError("cannot close")

    source: Iterable[int] | Any = Source()
    with pytest.raises(OSError, match="cannot close"):
        await Service().fan_out(source).collect()
