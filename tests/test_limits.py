"""Claims about the places on the wire: never more than there are, and first come first served."""

import asyncio

import pytest

from aegis_async._limits import Slots


class Crowd:
    """Tasks that each hold a slot until they are let go."""

    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        self.inside: list[int] = []
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.gates: dict[int, asyncio.Event] = {}

    async def come(self, number: int) -> None:
        """Begin a task that wants a slot."""
        self.gates[number] = asyncio.Event()
        self.tasks[number] = asyncio.create_task(self._hold(number))
        await asyncio.sleep(0)

    async def leave(self, number: int) -> None:
        """Let a task that holds a slot go."""
        self.gates[number].set()
        await self.tasks[number]
        await asyncio.sleep(0)

    async def _hold(self, number: int) -> None:
        async with self.slots:
            self.inside.append(number)
            await self.gates[number].wait()
        self.inside.remove(number)


async def test_no_more_are_inside_than_there_are_places() -> None:
    """With two slots the third waits until one is free."""
    crowd = Crowd(Slots(2))
    for number in range(3):
        await crowd.come(number)

    assert [0, 1] == crowd.inside
    await crowd.leave(0)
    assert [1, 2] == crowd.inside
    await crowd.leave(1)
    await crowd.leave(2)


async def test_who_comes_first_is_served_first() -> None:
    """Places go in the order of arrival, and a late comer does not slip in."""
    crowd = Crowd(Slots(1))
    for number in range(4):
        await crowd.come(number)
    order = []
    for number in range(4):
        order.append(list(crowd.inside))
        await crowd.leave(number)

    assert [[0], [1], [2], [3]] == order


async def test_one_who_gives_up_waiting_takes_no_place() -> None:
    """A waiter that is cancelled is passed over."""
    crowd = Crowd(Slots(1))
    for number in range(3):
        await crowd.come(number)

    crowd.tasks[1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await crowd.tasks[1]
    await crowd.leave(0)

    assert [2] == crowd.inside
    await crowd.leave(2)


async def test_a_place_given_to_one_just_cancelled_goes_on() -> None:
    """A waiter cancelled in the turn in which it was served hands its place to the next."""
    crowd = Crowd(Slots(1))
    for number in range(3):
        await crowd.come(number)

    crowd.gates[0].set()
    await asyncio.sleep(0)
    crowd.tasks[1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await crowd.tasks[1]
    await asyncio.sleep(0)

    assert [2] == crowd.inside
    await crowd.leave(2)


async def test_a_place_is_free_again_after_an_error() -> None:
    """An exception inside gives the place back."""
    slots = Slots(1)
    with pytest.raises(ZeroDivisionError):
        async with slots:
            raise ZeroDivisionError

    async with slots:
        pass
    assert 1 == slots._free
