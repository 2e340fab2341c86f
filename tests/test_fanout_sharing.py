"""Claims about ids that come again while they are in flight: one request, and each its own result."""

import asyncio
import itertools
import logging
from typing import Any

import pytest

from aegis_async import AegisClient
from aegis_async._fanout import FanOut, FanOutStats, Job, Outcome
from aegis_async.errors import InvalidArgumentError, NotFoundError, ServerError
from aegis_async.sandbox import Sandbox
from tests.squares import Service, settle


async def test_equal_ids_in_flight_share_one_request() -> None:
    """An id that comes again while it is fetched is not fetched again, and gives its result each time."""
    service = Service()
    service.gate(4)
    fan_out = service.fan_out([4, 4, 5, 4])
    collecting = asyncio.ensure_future(fan_out.collect())
    await settle()

    service.gates[4].set()

    assert [16, 16, 16, 25] == sorted(await collecting)
    assert [4, 5] == service.begun
    assert FanOutStats(taken=4, fetched=4, shared=2) == fan_out.stats


async def test_an_id_that_comes_later_is_fetched_anew() -> None:
    """Only what is in flight is shared: nothing is kept."""
    service = Service()

    assert [16, 16] == await service.fan_out([4, 4], concurrency=1).collect()
    assert [4, 4] == service.begun


async def test_shared_results_keep_their_places() -> None:
    """Ordered, a repeat comes where its id stood."""
    service = Service()

    outcomes = [o async for o in service.fan_out([3, 2, 3, 1, 2], concurrency=5, ordered=True).outcomes()]

    assert [Outcome(3, 9), Outcome(2, 4), Outcome(3, 9), Outcome(1, 1), Outcome(2, 4)] == outcomes
    assert [3, 2, 1] == service.begun


async def test_each_repeat_has_an_error_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    """A failure that is shared reaches each repeat as an equal error, not as one object, and is logged once."""
    gone = NotFoundError("gone", status=404)
    service = Service(_2=gone)
    fan_out = service.fan_out([2, 2, 2])

    with caplog.at_level(logging.WARNING, "aegis_async"):
        errors = [outcome.error for outcome in [o async for o in fan_out.outcomes()]]
        skipped = service.fan_out([2, 2], on_error="skip")
        assert [] == await skipped.collect()

    assert 3 == len({id(error) for error in errors})
    assert ["gone"] * 3 == [str(error) for error in errors]
    assert FanOutStats(taken=3, failed=3, shared=2) == fan_out.stats
    assert FanOutStats(taken=2, failed=2, shared=1) == skipped.stats
    assert ["skipped id 2: gone"] == caplog.messages


async def test_repeats_without_end_are_bounded_too() -> None:
    """A source that repeats one slow id for ever is read no further than twice the concurrency."""
    service = Service()
    service.gate(7)

    async with aiter(service.fan_out(itertools.repeat(7))) as values:
        first = asyncio.ensure_future(anext(values))
        await settle()

        assert [7] == service.begun
        assert 2 * 3 == values._work.stats.taken
        service.gates[7].set()
        assert 49 == await first


async def test_what_equals_an_id_and_is_none_does_not_share() -> None:
    """True equals 1, and 1.0 does; neither gets what 1 gets."""
    service = Service()
    begun: list[Any] = []

    async def fetch(id_: Any) -> int:
        begun.append(id_)
        await asyncio.sleep(0)
        if type(id_) is not int:
            raise InvalidArgumentError("id must be an int")
        return 1

    fan_out = FanOut(Job([1, True, 1.0, [1]], fetch, lambda: service.owner, 4, ordered=True, on_error="skip"))  # type: ignore[list-item]  # what is wrong is the point

    outcomes = [outcome async for outcome in fan_out.outcomes()]

    assert [1, None, None, None] == [outcome.value for outcome in outcomes]
    assert [1, True, 1.0, [1]] == begun


async def test_one_request_at_the_server(client: AegisClient, sandbox: Sandbox) -> None:
    """Sixteen repeats on the wire at once are one request at the service."""
    found = await client.data_collections.get_many([3] * 16, concurrency=16).collect()

    assert [3] * 16 == [full.id for full in found]
    assert 1 == len(sandbox.requests)


async def test_a_failed_repeat_ends_the_fan_out_once() -> None:
    """With ``raise``, a shared failure is one error, and its report counts each id that it failed."""
    service = Service(_2=ServerError("broken", status=500))

    with pytest.raises(ServerError) as caught:
        await service.fan_out([2, 2, 2]).collect()

    assert caught.value.fan_out is not None
    assert (3, 3, ()) == (caught.value.fan_out.taken, caught.value.fan_out.failed, caught.value.fan_out.in_flight)
