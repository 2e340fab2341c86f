"""Claims about the door to the wire: never more than there are places, and two lanes."""

import asyncio

import pytest

from tests.limits.scene import Scene, settled


async def test_no_more_pass_than_there_are_places() -> None:
    """With two slots the third waits until one is free."""
    scene = Scene(2)

    await scene.come("i1", "i2", "i3")
    before = list(scene.passed)
    await scene.leave("i1")

    assert (["i1", "i2"], ["i1", "i2", "i3"]) == (before, scene.passed)
    await scene.end()


async def test_who_comes_first_is_served_first() -> None:
    """Places go in the order of arrival, and a late comer does not slip in."""
    scene = Scene(1)

    await scene.come("i1", "i2", "i3", "i4")
    await scene.leave("i1", "i2", "i3")

    assert ["i1", "i2", "i3", "i4"] == scene.passed
    await scene.end()


@pytest.mark.parametrize(("limit", "bulk"), [(1, 1), (2, 1), (3, 2), (4, 3), (8, 6), (16, 12), (17, 13)])
async def test_bulk_never_takes_the_last_quarter(limit: int, bulk: int) -> None:
    """Of the slots a quarter, at least one, is left to the interactive lane when there is more than one."""
    scene = Scene(limit)

    await scene.come(*(f"b{n}" for n in range(limit + 1)))

    assert bulk == len(scene.passed)
    await scene.end()


async def test_an_interactive_call_is_not_queued_behind_bulk() -> None:
    """With any number of bulk calls waiting, the next free slot is the interactive call's."""
    scene = Scene(4)
    await scene.come(*(f"b{n}" for n in range(20)))

    await scene.come("i1", "i2")
    await scene.leave("b0")

    assert ["b0", "b1", "b2", "i1", "i2"] == scene.passed
    await scene.end()


async def test_bulk_gets_one_in_ten_under_contention() -> None:
    """While interactive calls never cease, one in ten that pass is a bulk call."""
    scene = Scene(2)
    await scene.come("i0", "i1", *(f"b{n}" for n in range(5)), *(f"i{n}" for n in range(2, 42)))

    for _ in range(40):
        await scene.leave(next(name for name in scene.passed if not scene.visitors[name].gone.is_set()))

    assert 4 == sum(name.startswith("b") for name in scene.passed[2:])
    assert all(9 == gap for gap in _gaps(scene.passed[2:]))
    await scene.end()


def _gaps(passed: list[str]) -> list[int]:
    bulk = [index for index, name in enumerate(passed) if name.startswith("b")]
    return [after - before - 1 for before, after in zip([-1, *bulk], bulk, strict=False)]


async def test_a_cancelled_visitor_takes_no_place() -> None:
    """One that is cancelled while it waits is skipped, and its neighbours keep their order."""
    scene = Scene(1)
    await scene.come("i1", "i2", "i3")

    scene.visitors["i2"].task.cancel()
    await scene.leave("i1")

    assert ["i1", "i3"] == scene.passed
    await scene.end()


async def test_a_place_given_to_a_cancelled_visitor_is_passed_on() -> None:
    """One that is cancelled just when it gets its place hands it to the next."""
    scene = Scene(1)
    await scene.come("i1", "i2", "i3")

    scene.visitors["i1"].gone.set()
    await asyncio.sleep(0)  # i1 leaves, and i2 has its place but has not run
    scene.visitors["i2"].task.cancel()
    await settled()

    assert ["i1", "i3"] == scene.passed
    await scene.end()


async def test_a_higher_limit_lets_those_pass_who_wait() -> None:
    """When the limit grows, waiting calls pass at once; when it shrinks, nobody is disturbed."""
    scene = Scene(1)
    await scene.come("i1", "i2", "i3")

    scene.gate.limit = 3
    await settled()
    scene.gate.limit = 1
    await scene.come("i4")
    await scene.leave("i1", "i2")

    assert ["i1", "i2", "i3"] == scene.passed
    assert (1, 1) == (scene.gate.busy, scene.gate.waiting)
    await scene.end()


async def test_a_gate_that_closes_sends_everybody_away() -> None:
    """Each one who waits gets an error of its own."""
    scene = Scene(1)
    await scene.come("i1", "i2", "b1")

    scene.gate.close(lambda: RuntimeError("closed"))
    errors = await asyncio.gather(scene.visitors["i2"].task, scene.visitors["b1"].task, return_exceptions=True)

    assert ["closed", "closed"] == [str(error) for error in errors]
    assert errors[0] is not errors[1]
    await scene.end()
