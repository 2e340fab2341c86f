"""Claims about a sandbox of limited size, seen by clients that ask for more than it serves at once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from aegis_async.sandbox import Sandbox
from aegis_async.sandbox._capacity import Capacity

Ask = Callable[..., Coroutine[Any, Any, Any]]


class Visits:
    """Requests that take their place, stay until let go, and say in which order they were served."""

    def __init__(self, capacity: Capacity) -> None:
        self.capacity = capacity
        self.served: list[int] = []
        self.refused: list[int] = []
        self.ends: dict[int, asyncio.Event] = {}
        self.tasks: dict[int, asyncio.Task[None]] = {}

    async def come(self, *numbers: int) -> None:
        """Let requests come one after the other."""
        for number in numbers:
            self.ends[number] = asyncio.Event()
            self.tasks[number] = asyncio.create_task(self._visit(number))
            await settled()

    async def end(self, *numbers: int) -> None:
        """Let requests end."""
        for number in numbers:
            self.ends[number].set()
            await settled()

    async def cancel(self, *numbers: int) -> None:
        """Let the clients of requests go away."""
        for number in numbers:
            self.tasks[number].cancel()
            await settled()

    async def _visit(self, number: int) -> None:
        async with self.capacity.place() as served:
            (self.served if served else self.refused).append(number)
            if served:
                await self.ends[number].wait()


async def settled() -> None:
    """Let every task go as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def visits() -> AsyncIterator[Visits]:
    made = Visits(Capacity(2, "wait"))
    yield made
    for task in made.tasks.values():
        task.cancel()
    await asyncio.gather(*made.tasks.values(), return_exceptions=True)
    made.capacity.limit = 2
    await made.come(1_000, 1_001)
    assert [1_000, 1_001] == made.served[-2:]  # no place was lost
    await made.end(1_000, 1_001)


async def test_further_requests_wait_in_order(visits: Visits) -> None:
    """Of four requests two are served, and each end lets the one in that came first."""
    await visits.come(1, 2, 3, 4)

    before = list(visits.served)
    await visits.end(2, 1)

    assert ([1, 2], [1, 2, 3, 4]) == (before, visits.served)


async def test_a_client_that_goes_away_takes_no_place(visits: Visits) -> None:
    """One that leaves the queue, or leaves just when its turn comes, does not keep others out."""
    await visits.come(1, 2, 3, 4, 5)

    await visits.cancel(3)
    visits.ends[1].set()
    await asyncio.sleep(0)
    visits.tasks[4].cancel()
    await settled()

    assert 5 in visits.served
    assert 3 not in visits.served


async def test_more_capacity_counts_from_the_next_request_on(visits: Visits) -> None:
    """A raised capacity lets waiting requests in as soon as another one comes, and that one too."""
    await visits.come(1, 2, 3)

    visits.capacity.limit = 4
    await visits.come(4)

    assert {1, 2, 3, 4} == set(visits.served)


async def test_less_capacity_disturbs_nobody(visits: Visits) -> None:
    """A lowered capacity leaves those who are served, and lets the next in when there is room again."""
    await visits.come(1, 2, 3)

    visits.capacity.limit = 1
    await visits.end(1)
    before = list(visits.served)
    await visits.end(2)

    assert ([1, 2], [1, 2, 3]) == (before, visits.served)


@pytest.fixture
async def overloaded(ask: Ask) -> AsyncIterator[Sandbox]:
    """A sandbox that refuses, and whose one place is held."""
    async with Sandbox(capacity=1, overload="refuse") as sandbox:
        sandbox.fail("/data-collections/1", delay=float("inf"))
        held = asyncio.create_task(ask(sandbox, "/data-collections/1"))
        while not sandbox.requests:
            await asyncio.sleep(0)
        yield sandbox
        held.cancel()
        await asyncio.gather(held, return_exceptions=True)


async def test_an_overloaded_sandbox_refuses_if_told_so(overloaded: Sandbox, ask: Ask) -> None:
    """With ``overload="refuse"`` a request beyond the capacity is a 429, and one after it is served again."""
    refused = await ask(overloaded, "/data-collections/2")
    overloaded.capacity = None
    served = await ask(overloaded, "/data-collections/2")

    assert (429, {"detail": "Too many requests"}) == (refused.status, refused.json)
    assert 200 == served.status


async def test_a_refusal_uses_up_no_fault(overloaded: Sandbox, ask: Ask) -> None:
    """A fault that is scripted waits for a request that is served."""
    overloaded.fail(status=503)

    refused = await ask(overloaded, "/data-collections/2")
    overloaded.capacity = 2
    failed = await ask(overloaded, "/data-collections/2")

    assert [429, 503] == [refused.status, failed.status]


@pytest.mark.parametrize("capacity", [0, -1, True, 1.5, "4"])
def test_an_impossible_capacity_is_refused(capacity: Any) -> None:
    """Anything but a whole number from 1 on or None is a ValueError, at the start and later."""
    with pytest.raises(ValueError, match="capacity must be 1 or more, or None, not"):
        Sandbox(capacity=capacity)

    sandbox = Sandbox()
    with pytest.raises(ValueError, match="capacity must be 1 or more, or None, not"):
        sandbox.capacity = capacity
    assert sandbox.capacity is None


def test_an_unknown_overload_is_refused() -> None:
    """Only waiting and refusing are known."""
    with pytest.raises(ValueError, match="overload must be 'wait' or 'refuse', not 'drop'"):
        Sandbox(capacity=1, overload="drop")  # type: ignore[arg-type]  # the point of the test
