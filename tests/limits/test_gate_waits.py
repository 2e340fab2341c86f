"""Claims about what everybody waits for at the door to the wire: a rate, and one pause for all."""

import asyncio
from itertools import combinations_with_replacement, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_async._config import RateLimit
from tests.limits.scene import Scene, settled


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


@given(rate=st.floats(0.1, 1000), burst=st.integers(1, 5), gaps=st.lists(st.floats(0, 5), min_size=1, max_size=30))
async def test_no_second_ever_holds_more_than_the_rate_and_the_burst(
    rate: float, burst: int, gaps: list[float]
) -> None:
    """Whatever the arrivals, any stretch of time holds at most rate times its length plus the burst."""
    scene = Scene(10_000, RateLimit(rate, burst))
    for number, gap in enumerate(gaps):
        await scene.come(f"i{number}")
        await scene.time.to(scene.time.now + gap)
    await scene.time.to(scene.time.now + len(gaps) / rate)
    begun = [scene.visitors[name].passed_at for name in scene.passed]

    assert len(gaps) == len(begun)
    for first, last in combinations_with_replacement(range(len(begun)), 2):
        assert last - first + 1 <= rate * (begun[last] - begun[first]) + burst + 1e-6
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


async def test_a_pause_is_told_when_it_is_longer() -> None:
    """Whoever shares the key hears of each pause that holds the gate for longer than before."""
    scene, told = Scene(4), list[float]()
    scene.gate.on_pause = told.append

    for seconds in (2.0, 1.0, 3.0):
        scene.gate.pause(seconds)

    assert [2.0, 3.0] == told
