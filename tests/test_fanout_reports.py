"""Claims about what a fan-out tells of itself: its progress, and how far it came when an error ends it."""

import asyncio
import copy
import itertools
import pickle
import tracemalloc

import pytest

from aegis_async import AegisClient
from aegis_async._fanout import FanOut, FanOutStats, Job
from aegis_async._tasks import TaskOwner
from aegis_async.errors import AuthenticationError, FanOutReport, InvalidArgumentError, NotFoundError, ServerError
from aegis_async.sandbox import Sandbox
from tests.squares import Service, settle


async def test_an_error_says_how_far_the_fan_out_came() -> None:
    """The error carries the counts and the ids that were cancelled, and nothing of those that finished."""
    service = Service(_4=ServerError("broken", status=500))
    service.gate(3, 4, 5)
    collecting = asyncio.ensure_future(service.fan_out([1, 2, 3, 4, 5, 5, 6]).collect())
    await settle()

    service.gates[4].set()
    with pytest.raises(ServerError) as caught:
        await collecting

    assert FanOutReport(taken=5, fetched=2, failed=1, given=2, in_flight=(3, 5), waiting=()) == caught.value.fan_out


async def test_ids_that_wait_behind_the_error_are_named() -> None:
    """Ordered, what was fetched and stands behind the error cannot be given: its ids are in the report."""
    service = Service(_1=ServerError("broken", status=500))
    service.gate(1, 4)
    collecting = asyncio.ensure_future(service.fan_out(itertools.count(), ordered=True).collect())
    await settle()

    service.gates[1].set()
    with pytest.raises(ServerError) as caught:
        await collecting

    report = caught.value.fan_out
    assert report is not None
    assert (0 + 1, (4,), (2, 3, 5, 6)) == (report.given, report.in_flight, report.waiting)


@pytest.mark.parametrize("concurrency", [1, 8])
async def test_the_report_is_bounded(concurrency: int) -> None:
    """However many ids there were, a report names at most twice the concurrency."""
    service = Service(_500=NotFoundError("gone", status=404))

    with pytest.raises(NotFoundError) as caught:
        await service.fan_out(range(100_000), concurrency=concurrency).collect()

    report = caught.value.fan_out
    assert report is not None
    assert len(report.in_flight) + len(report.waiting) <= 2 * concurrency
    assert 500 <= report.taken <= 500 + 2 * concurrency


async def test_the_report_goes_where_the_error_goes() -> None:
    """An error with a report pickles and copies, and one without has None."""
    service = Service(_1=AuthenticationError("refused", status=401))

    with pytest.raises(AuthenticationError) as caught:
        await service.fan_out([1]).collect()

    report = FanOutReport(taken=1, fetched=0, failed=0, given=0, in_flight=(), waiting=())
    assert report == pickle.loads(pickle.dumps(caught.value)).fan_out == copy.copy(caught.value).fan_out
    assert AuthenticationError("refused", status=401).fan_out is None


async def test_progress_is_told_of_every_result() -> None:
    """The callback hears of each result, with counts that only grow, the last of them complete."""
    service = Service(_2=NotFoundError("gone", status=404))
    told: list[FanOutStats] = []

    await service.fan_out([1, 2, 3], on_error="skip", on_progress=told.append, concurrency=1).collect()

    assert [(1, 0), (1, 1), (2, 1)] == [(stats.fetched, stats.failed) for stats in told]
    assert 3 == told[-1].taken


async def test_a_callback_that_raises_ends_the_fan_out() -> None:
    """A bug in the caller's callback comes out, and nothing is left in flight."""
    service = Service()

    def bug(_stats: FanOutStats) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await service.fan_out(range(100), on_progress=bug).collect()

    assert (0, 0) == (service.in_flight, len(service.owner._tasks))


async def test_stats_say_what_is_in_flight() -> None:
    """While ids are fetched the stats count them, and at the end there are none."""
    service = Service()
    service.gate(2)
    fan_out = service.fan_out([1, 2, 2])
    collecting = asyncio.ensure_future(fan_out.collect())
    await settle()

    during = fan_out.stats
    service.gates[2].set()
    await collecting

    assert FanOutStats(taken=3, fetched=1, in_flight=2, shared=1) == during
    assert FanOutStats(taken=3, fetched=3, shared=1) == fan_out.stats


async def test_get_many_tells_its_progress(client: AegisClient, sandbox: Sandbox) -> None:
    """The callback of ``get_many`` hears of each collection, and what cannot be called is refused."""
    told: list[FanOutStats] = []

    await client.data_collections.get_many([1, 2, 3], on_progress=told.append).collect()

    assert [1, 2, 3] == [stats.fetched for stats in told]
    with pytest.raises(InvalidArgumentError, match="^on_progress must be callable"):
        client.data_collections.get_many([1], on_progress="yes")  # type: ignore[arg-type]  # what is wrong is the point
    with pytest.raises(InvalidArgumentError, match="^on_progress must be a plain function"):
        client.data_collections.get_many([1], on_progress=_awaited)
    assert 3 == len(sandbox.requests)


async def _awaited(_: FanOutStats) -> None:
    """Do nothing, once it is awaited."""


async def test_memory_does_not_grow_with_the_ids() -> None:
    """Twenty thousand ids of a generator leave the traced memory within a hundred kilobytes of its start."""

    async def fetch(id_: int) -> int:
        return id_

    owner, total = TaskOwner(), 0
    ids = (id_ for id_ in range(20_000))
    fan_out = FanOut(Job(ids, fetch, lambda: owner, 8, ordered=False, on_error="raise"))
    tracemalloc.start()
    try:
        start, _ = tracemalloc.get_traced_memory()
        async for value in fan_out:
            total += value
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert sum(range(20_000)) == total
    assert peak - start < 100_000
