"""Claims about the door to the wire: never more than there are places, two lanes, a rate, and one pause for all."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_async._clock import Alarm, Clock
from aegis_async._config import RateLimit
from aegis_async._limits import Gate


class Time:
    """A time that passes when it is told to."""

    def __init__(self, chance: float = 1.0) -> None:
        self.now = 0.0
        self.chance = chance
        self.alarms: list[tuple[float, Callable[[], None]]] = []

    def clock(self) -> Clock:
        """Give the clock that a gate takes."""
        return Clock(monotonic=lambda: self.now, later=self._later, random=lambda: self.chance)

    async def to(self, instant: float) -> None:
        """Pass the time until ``instant``, alarm after alarm."""
        await settled()
        while self.alarms and min(self.alarms, key=lambda alarm: alarm[0])[0] <= instant:
            first = min(self.alarms, key=lambda alarm: alarm[0])
            self.alarms.remove(first)
            self.now = max(self.now, first[0])
            first[1]()
            await settled()
        self.now = instant

    def _later(self, seconds: float, then: Callable[[], None]) -> Alarm:
        alarm = (self.now + seconds, then)
        self.alarms.append(alarm)

        class _Alarm:
            def cancel(_self) -> None:  # noqa: N805 - the outer self is used
                if alarm in self.alarms:
                    self.alarms.remove(alarm)

        return _Alarm()


class Visitor:
    """Somebody who passes the gate, stays until let go, and leaves."""

    def __init__(self, gate: Gate, name: str, log: list[str], *, patience: float = float("inf")) -> None:
        self.gate, self.name, self.log, self.patience = gate, name, log, patience
        self.bulk = name.startswith("b")
        self.gone = asyncio.Event()
        self.task = asyncio.create_task(self._visit())

    def hold(self, until: float) -> None:
        """Refuse a pause that is longer than the patience."""
        if until > self.patience:
            raise TimeoutError(f"{self.name} cannot wait until {until}")

    async def leave(self) -> None:
        """Leave the wire."""
        self.gone.set()
        await self.task
        await settled()

    async def _visit(self) -> None:
        if not self.gate.try_enter(bulk=self.bulk):
            await self.gate.enter(self)
        self.log.append(self.name)
        try:
            await self.gone.wait()
        finally:
            self.gate.leave(bulk=self.bulk)


async def settled() -> None:
    """Let every task go as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


class Scene:
    """A gate and its visitors."""

    def __init__(self, limit: int, rate: RateLimit | None = None, *, chance: float = 1.0) -> None:
        self.time = Time(chance)
        self.gate = Gate(limit, rate, self.time.clock())
        self.passed: list[str] = []
        self.visitors: dict[str, Visitor] = {}

    async def come(self, *names: str, patience: float = float("inf")) -> None:
        """Let visitors come, one after the other; a name with b goes in the bulk lane."""
        for name in names:
            self.visitors[name] = Visitor(self.gate, name, self.passed, patience=patience)
            await settled()

    async def leave(self, *names: str) -> None:
        """Let visitors leave the wire."""
        for name in names:
            await self.visitors[name].leave()

    async def end(self) -> None:
        """Cancel everybody, and see that the gate is as it was."""
        for visitor in self.visitors.values():
            visitor.task.cancel()
        await asyncio.gather(*(v.task for v in self.visitors.values()), return_exceptions=True)
        assert (0, 0) == (self.gate.busy, self.gate.waiting)
        assert [] == self.time.alarms


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


async def test_a_rate_spaces_attempts_evenly() -> None:
    """With two requests per second they begin half a second apart, however many slots are free."""
    scene = Scene(16, RateLimit(2))
    await scene.come("i1", "i2", "i3")

    seen = []
    for instant in (0.0, 0.4, 0.5, 0.9, 1.0):
        await scene.time.to(instant)
        seen.append(len(scene.passed))

    assert [1, 1, 2, 2, 3] == seen
    await scene.end()


async def test_a_burst_passes_at_once_after_a_quiet_time() -> None:
    """With a burst of three, three begin at once, and then the rate holds."""
    scene = Scene(16, RateLimit(8, burst=3))
    await scene.come(*(f"i{n}" for n in range(5)))

    seen = []
    for instant in (0.0, 0.125, 0.25):
        await scene.time.to(instant)
        seen.append(len(scene.passed))

    assert [3, 4, 5] == seen
    await scene.end()


@given(rate=st.floats(0.1, 1000), burst=st.integers(1, 20), gaps=st.lists(st.floats(0, 5), min_size=1, max_size=30))
async def test_no_second_ever_holds_more_than_the_rate_and_the_burst(
    rate: float, burst: int, gaps: list[float]
) -> None:
    """Whatever the arrivals, any stretch of time holds at most rate times its length plus the burst."""
    scene = Scene(10_000, RateLimit(rate, burst))
    begun: list[float] = []
    for number, gap in enumerate(gaps):
        before = len(scene.passed)
        await scene.come(f"i{number}")
        await scene.time.to(scene.time.now + gap)
        begun += [scene.time.now] * (len(scene.passed) - before)

    for first, start in enumerate(begun):
        for last in range(first, len(begun)):
            allowed = rate * (begun[last] - start + max(gaps)) + burst
            assert last - first + 1 <= allowed + 1e-6
    await scene.end()


async def test_a_pause_holds_everybody_and_leaves_who_is_on_the_wire() -> None:
    """During a pause nobody passes; those on the wire go on, and may leave."""
    scene = Scene(4)
    await scene.come("i1")

    scene.gate.pause(7.0)
    await scene.come("i2", "b1")
    await scene.leave("i1")
    await scene.time.to(6.9)

    assert ["i1"] == scene.passed
    assert pytest.approx(0.1) == scene.gate.paused_for
    await scene.time.to(7.0)
    assert {"i1", "i2", "b1"} == set(scene.passed)
    await scene.end()


async def test_those_who_waited_do_not_come_back_at_once() -> None:
    """After a pause of eight seconds the waiting calls begin one by one over the next two."""
    scene = Scene(100, chance=0.5)
    scene.gate.pause(8.0)
    await scene.come(*(f"i{n}" for n in range(20)))

    seen = []
    for instant in (8.0, 8.5, 9.0, 9.5, 10.0):
        await scene.time.to(instant)
        seen.append(len(scene.passed))

    assert 0 == seen[0]
    assert 20 == seen[-1]
    assert all(later > earlier for earlier, later in pairwise(seen))
    await scene.end()


async def test_a_call_of_its_own_comes_back_at_its_own_instant() -> None:
    """Two clients that were told the same second do not come back in the same one: each draws its instant."""
    begun = []
    for chance in (0.1, 0.9):
        scene = Scene(4, chance=chance)
        scene.gate.pause(8.0)
        await scene.come("i1")
        while not scene.passed:
            await scene.time.to(scene.time.now + 0.01)
        begun.append(scene.time.now)
        await scene.end()

    assert 9.8 == pytest.approx(begun[0], abs=0.02)
    assert 8.2 == pytest.approx(begun[1], abs=0.02)


async def test_a_shorter_pause_does_not_shorten_a_longer_one() -> None:
    """The latest end counts."""
    scene = Scene(1)
    scene.gate.pause(9.0)
    scene.gate.pause(2.0)
    await scene.come("i1")

    await scene.time.to(8.9)
    before = list(scene.passed)
    await scene.time.to(9.0)

    assert ([], ["i1"]) == (before, scene.passed)
    await scene.end()


async def test_who_cannot_wait_is_sent_away_at_once() -> None:
    """One that waits when a pause begins, and one that comes during it, hear of it without any time passing."""
    scene = Scene(1)
    await scene.come("i1", "i2", patience=5.0)

    scene.gate.pause(6.0)
    await scene.come("i3", patience=5.0)
    await scene.come("i4", patience=7.0)

    for name in ("i2", "i3"):
        with pytest.raises(TimeoutError, match=f"{name} cannot wait until 6.0"):
            await scene.visitors[name].task
    assert 1 == scene.gate.waiting
    await scene.end()


async def test_a_cancelled_wait_leaves_no_alarm() -> None:
    """When the last one who waited for the end of a pause is cancelled, nothing is left to ring."""
    scene = Scene(1)
    scene.gate.pause(6.0)
    await scene.come("i1")

    await scene.end()

    assert [] == scene.passed


async def test_one_sent_away_and_cancelled_in_the_same_turn_complains_to_nobody() -> None:
    """An error that nobody takes, because the cancellation came first, is not reported as lost."""
    scene = Scene(1)
    await scene.come("i1", "i2", patience=5.0)

    scene.gate.pause(6.0)
    scene.visitors["i2"].task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await scene.visitors["i2"].task
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


class Turns:
    """A rate whose turns come from elsewhere."""

    def __init__(self) -> None:
        self.left = 0

    def delay(self, _now: float) -> float:
        return 0.0 if self.left else float("inf")

    def passed(self, _now: float) -> None:
        self.left -= 1


async def test_a_rate_from_elsewhere_lets_pass_when_it_has_turns() -> None:
    """While none is known everybody waits, without an alarm; woken, as many pass as there are turns."""
    scene = Scene(4)
    turns = scene.gate.rate = Turns()
    await scene.come("i1", "i2", "i3")
    before, alarms = list(scene.passed), list(scene.time.alarms)

    turns.left = 2
    scene.gate.wake()
    await settled()

    assert ([], []) == (before, alarms)
    assert (["i1", "i2"], 1) == (scene.passed, scene.gate.waiting)
    await scene.end()


async def test_a_pause_is_told_when_it_is_longer() -> None:
    """Whoever shares the key hears of each pause that holds the gate for longer than before."""
    scene, told = Scene(4), list[float]()
    scene.gate.on_pause = told.append

    for seconds in (2.0, 1.0, 3.0):
        scene.gate.pause(seconds)

    assert [2.0, 3.0] == told
