"""What the engine is made of, without a cluster: partitions, the work, and the limiter."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from aegis_async._config import RateLimit
from aegis_async._session import Counts
from aegis_async.errors import ExportError
from aegis_async.export._ray._engine import _fitting, _slots, _split
from aegis_async.export._ray._limiter import Limiter
from aegis_async.export._ray._partitions import Delivery, Partition, Planner
from aegis_async.export._ray._work import Work
from aegis_async.export._source import Listed
from aegis_async.export._tally import Got

pytestmark = pytest.mark.ray


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def delivery(*sizes: int) -> Delivery:
    answers = tuple((id_, Got(sound=True, rows=1, size=size)) for id_, size in enumerate(sizes))
    return Delivery((), (), answers, 0, Counts(), None)


async def partitions(planner: Planner, count: int) -> list[Partition]:
    made = planner.partitions(range(1, count + 1), lambda _: Listed(), anywhere=False)
    return [partition async for partition in made]


async def fresh(*numbers: int) -> AsyncIterator[Partition]:
    for number in numbers:
        yield Partition(number, ((number, Listed()),), anywhere=False)


async def test_partitions_begin_small_and_grow() -> None:
    """Every hand has one before anybody has a large one, and each id is in one of them."""
    made = await partitions(Planner(1 << 30, hands=2), 60)

    assert [4, 4, 8, 8, 16, 16, 4] == [len(partition.ids) for partition in made]
    assert list(range(1, 61)) == [id_ for partition in made for id_, _ in partition.ids]
    assert list(range(1, 8)) == [partition.number for partition in made]


async def test_a_partition_is_no_more_than_a_batch() -> None:
    """What came so far says how many bodies make a batch; one is the least."""
    planner = Planner(1_000_000, hands=1)
    planner.learn(delivery(*[400_000] * 99))

    assert [2, 2, 1] == [len(partition.ids) for partition in await partitions(planner, 5)]
    assert [1, 1] == [len(partition.ids) for partition in await partitions(Planner(1, hands=1), 2)]


async def test_a_partition_is_bounded_however_small_the_bodies() -> None:
    """A worker that dies has never more than 256 ids of a partition in hand."""
    planner = Planner(1 << 30, hands=1)
    planner.learn(delivery(*[10] * 1000))

    assert 256 == max(len(partition.ids) for partition in await partitions(planner, 2000))


async def test_what_a_dead_worker_had_comes_again() -> None:
    """It is another attempt at the same partition, and the work is not over before it is done."""
    work = Work(fresh(1))
    first = await work.take()
    assert first is not None
    waiting = asyncio.create_task(work.take())

    await work.give_back(first, RuntimeError("dead"))
    again = await waiting

    assert again == first.again()
    assert not work.over.is_set()
    await work.done()
    assert await work.take() is None
    assert work.over.is_set()


async def test_the_work_ends_when_the_last_one_is_done() -> None:
    """Who finds nothing to take waits for what is still out, which may come back."""
    work = Work(fresh(1, 2))
    await work.take()
    await work.take()
    waiting = asyncio.create_task(work.take())

    await work.done()
    await asyncio.sleep(0)
    assert not waiting.done()
    await work.done()

    assert await waiting is None


async def test_a_partition_that_kills_its_workers_ends_the_export() -> None:
    """After five of them it is not bad luck."""
    work = Work(fresh(7))
    for _ in range(4):
        partition = await work.take()
        assert partition is not None
        await work.give_back(partition, RuntimeError("out of memory"))
    last = await work.take()
    assert last is not None

    with pytest.raises(ExportError, match="5 workers died over collections 7 to 7: out of memory"):
        await work.give_back(last, RuntimeError("out of memory"))


async def test_turns_keep_the_rate_whoever_asks() -> None:
    """Those of several workers are spaced as those of one."""
    time = Time()
    limiter = Limiter(RateLimit(10), clock=time)

    turns = await limiter.reserve(2) + await limiter.reserve(3)

    assert [0.0, 0.1, 0.2, 0.3, 0.4] == pytest.approx(turns)
    time.now += 1.0
    assert [0.0] == await limiter.reserve(1)


async def test_a_burst_may_begin_at_once() -> None:
    """As many as the rate limit allows, and then at its pace."""
    limiter = Limiter(RateLimit(10, burst=3), clock=Time())

    assert [0.0, 0.0, 0.0, 0.1] == pytest.approx(await limiter.reserve(4))


async def test_nobody_reserves_more_than_a_second() -> None:
    """One worker with many waiting calls does not take the turns of all others."""
    limiter = Limiter(RateLimit(4), clock=Time())

    assert 4 == len(await limiter.reserve(100))
    assert [50, 0.0] == [len(turns := await Limiter(None).reserve(50)), sum(turns)]


async def test_a_pause_holds_everybody() -> None:
    """Turns of that time are void, the next ones come after it, and whoever listens hears how much is left."""
    time = Time()
    limiter = Limiter(RateLimit(10), clock=time)
    await limiter.reserve(5)
    listening = asyncio.create_task(limiter.pauses(0))
    await asyncio.sleep(0)

    await limiter.pause(2.0)
    await limiter.pause(1.0)
    time.now += 0.5

    assert (1, 1.5) == await listening
    assert [1.5, 1.6] == pytest.approx(await limiter.reserve(2))


def test_slots_and_concurrency_are_shared_out() -> None:
    """All parts together are the whole, and the driver has some for its listing."""
    assert [3, 3, 2] == _split(8, 3)
    assert (6, [5, 5]) == _slots(16, 2)
    assert (None, ["auto", "auto"]) == _slots("auto", 2)
    assert [4, 8, 3, 1] == [_fitting(4, 8, 16), _fitting(64, 8, "auto"), _fitting(64, 8, 4), _fitting(64, 8, 1)]
