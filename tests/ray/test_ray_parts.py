"""What the engine is made of, without a cluster: partitions, the work, and the limiter."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import Mock

import pytest
import ray

from aegis_async import AegisClient
from aegis_async._client import recipe_of
from aegis_async._config import RateLimit
from aegis_async._session import Counts
from aegis_async.errors import ExportError
from aegis_async.export._asked import Asked
from aegis_async.export._ray import RayEngine
from aegis_async.export._ray import _connect as connect
from aegis_async.export._ray._desks import desks, fitting
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
    seen, _ = await asyncio.wait_for(limiter.pauses(0), 1.0)
    listening = asyncio.create_task(limiter.pauses(seen))
    await asyncio.sleep(0)

    await limiter.pause(2.0)
    await limiter.pause(1.0)
    time.now += 0.5

    assert (seen + 1, 1.5) == await listening
    assert [1.5, 1.6] == pytest.approx(await limiter.reserve(2))


async def test_a_limiter_that_begins_anew_is_noticed() -> None:
    """Who listened to the one before hears of it at once, and so keeps no turn that the new one may give again."""
    first, second = Limiter(RateLimit(10)), Limiter(RateLimit(10))
    seen, _ = await asyncio.wait_for(first.pauses(0), 1.0)

    heard, left = await asyncio.wait_for(second.pauses(seen), 1.0)

    assert seen != heard
    assert 0.0 == left


async def test_a_limiter_that_ends_answers_who_listens() -> None:
    """Nobody waits for a pause that cannot come any more."""
    limiter = Limiter(None)
    seen, _ = await asyncio.wait_for(limiter.pauses(0), 1.0)
    listening = asyncio.create_task(limiter.pauses(seen))
    await asyncio.sleep(0)

    await limiter.close()

    assert (seen + 1, 0.0) == await asyncio.wait_for(listening, 1.0)


async def test_the_end_closes_everything_even_if_a_commit_fails() -> None:
    """A progress that raises again for what was delivered meanwhile leaves no worker and no cluster behind."""
    engine = RayEngine(AegisClient("sk_made_up"), Mock(), Mock(failed=False), asked())
    closed: list[str] = []
    engine._stack.callback(closed.append, "closed")
    engine._planner = Planner(1, hands=1)
    partition = Partition(1, ((0, Listed()),), anywhere=False)
    engine._delivered.append((partition, delivery(10), Mock(side_effect=KeyError("progress"))))

    with pytest.raises(KeyError, match="progress"):
        await engine.__aexit__(KeyError, KeyError("before"), None)

    assert ["closed"] == closed


async def test_a_cluster_that_begins_when_it_is_cancelled_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for, and then shut down."""
    begun, go_on, ended = asyncio.Event(), threading.Event(), list[str]()
    loop = asyncio.get_running_loop()

    def init(**_: object) -> None:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait()

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "shutdown", lambda: ended.append("ended"))
    entering = asyncio.create_task(connect.connected(None, 1).__aenter__())
    await begun.wait()

    entering.cancel()
    go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await entering
    assert ["ended"] == ended


def asked() -> Asked:
    return Asked(
        engine="ray",
        workers=1,
        address=None,
        concurrency=1,
        shared=None,
        batch_bytes=1,
        stream_above=1,
        max_outage=1.0,
    )


def test_slots_and_concurrency_are_shared_out() -> None:
    """All parts together are the whole, and the driver has some of the first key's for its listing."""
    recipe = recipe_of(AegisClient("sk_first", max_concurrency=16))
    recipes, limiters = [recipe, recipe.with_key("sk_second")], [Mock(), Mock()]

    own, made = desks(recipes, limiters, 5, 11)

    assert 4 == own
    assert [3, 2, 2, 2, 2] == [desk.share.concurrency for desk in made]
    assert [4, 8, 4, 8, 4] == [desk.share.slots for desk in made]
    assert [recipes[key] for key in (0, 1, 0, 1, 0)] == [desk.recipe for desk in made]
    assert [limiters[key] for key in (0, 1, 0, 1, 0)] == [desk.limiter for desk in made]


def test_a_client_that_finds_its_limit_leaves_that_to_the_workers() -> None:
    """Each begins for itself, and the driver too."""
    recipe = recipe_of(AegisClient("sk_first", max_concurrency="auto"))

    own, made = desks([recipe], [Mock()], 2, 8)

    assert own is None
    assert ["auto", "auto"] == [desk.share.slots for desk in made]


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        (4, (4, 8, 16, 1)),
        (8, (64, 8, "auto", 1)),
        (3, (64, 8, 4, 1)),
        (1, (64, 8, 1, 1)),
        (6, (64, 8, 4, 2)),
        (3, (1, 8, 4, 3)),
    ],
)
def test_there_are_as_many_workers_as_there_is_work_for(expected: int, given: Any) -> None:
    """CPUs, collections at a time and slots bound them; each key has one."""
    assert expected == fitting(*given)
