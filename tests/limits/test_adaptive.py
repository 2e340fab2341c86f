"""Claims about the limit that finds itself, each shown by a simulated service in a time of its own."""

from collections.abc import Callable
from functools import cache
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_async._limits import AdaptiveLimit
from aegis_async._limits._adaptive import CAP
from tests.limits.simulation import Fixed, Outcome, Scene, simulate

CAPACITIES = (4, 16, 64)
UNEVEN = (4, 16, 32)  # what is drawn anew for each answer takes long to simulate
SETTLED, END = 15.0, 40.0  # seconds
SERVICE = 0.05

Draw = Callable[[Random], float]

DRAWS: dict[str, Draw] = {
    "uniform": lambda random: random.uniform(0.1, 1.9),
    "exponential": lambda random: random.expovariate(1),
    "one in twenty very long": lambda random: 0.5 if random.random() < 0.95 else 10.5,
    "log-normal": lambda random: random.lognormvariate(-0.5, 1),
}


def steady(capacity: int) -> Callable[[float], int]:
    """Give a capacity that never changes."""
    return lambda _: capacity


def changing(before: int, after: int) -> Callable[[float], int]:
    """Give a capacity that changes at 20 seconds."""
    return lambda now: before if now < 20 else after


@cache
def best_fixed(capacity: int, *, refuses: bool) -> float:
    """Give the most answers per second that any fixed limit gets."""
    tried = (3, 4) if refuses else (3, 4, 5, 8)  # quarters of the capacity; above it there are only more refusals
    limits = [capacity * quarters // 4 for quarters in tried]
    scene = Scene(steady(capacity), refuses=refuses, seconds=15.0)  # it has nothing to settle
    return max(simulate(Fixed(limit), scene).rate(5, 15) for limit in limits)


@cache
def adaptive(capacity: int, seed: int, *, refuses: bool) -> Outcome:
    """Run the adaptive limit against a steady service."""
    return simulate(AdaptiveLimit(), Scene(steady(capacity), refuses=refuses, seed=seed))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("refuses", [False, True])
@pytest.mark.parametrize("capacity", CAPACITIES)
def test_it_comes_near_the_best_fixed_limit(capacity: int, refuses: bool, seed: int) -> None:
    """Against a service that queues and one that refuses, it gets at least 85 % of what the best fixed limit gets."""
    found = adaptive(capacity, seed, refuses=refuses)

    assert 0.85 * best_fixed(capacity, refuses=refuses) <= found.rate(SETTLED, END)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("refuses", [False, True])
@pytest.mark.parametrize("capacity", CAPACITIES)
def test_it_settles(capacity: int, refuses: bool, seed: int) -> None:
    """After settling neither its least nor its greatest value is more than 30 % from its mean."""
    least, mean, most = adaptive(capacity, seed, refuses=refuses).range(SETTLED, END)

    assert 0.7 * mean <= least
    assert most <= 1.3 * mean


@pytest.mark.parametrize("capacity", CAPACITIES)
def test_a_service_that_refuses_is_seldom_made_to(capacity: int) -> None:
    """Once it has settled, fewer than one request in a hundred is refused."""
    found = adaptive(capacity, 0, refuses=True)

    refused = sum(SETTLED < at < END for at in found.refusals)
    assert refused < 0.01 * found.rate(SETTLED, END) * (END - SETTLED)


@pytest.mark.parametrize("refuses", [False, True])
@pytest.mark.parametrize("capacity", [8, 32, 64])
def test_it_follows_when_the_capacity_halves(capacity: int, refuses: bool) -> None:
    """Ten seconds after half of the capacity is gone it gets 85 % of the rest, with less than twice as many."""
    half = capacity // 2

    found = simulate(AdaptiveLimit(), Scene(changing(capacity, half), refuses=refuses))

    assert 0.85 * half / SERVICE <= found.rate(30, END)
    assert found.range(30, END)[1] < 2 * half


@pytest.mark.parametrize("refuses", [False, True])
@pytest.mark.parametrize("capacity", [4, 16, 32])
def test_it_follows_when_the_capacity_doubles(capacity: int, refuses: bool) -> None:
    """Ten seconds after the capacity has doubled it gets 85 % of it."""
    found = simulate(AdaptiveLimit(), Scene(changing(capacity, 2 * capacity), refuses=refuses))

    assert 0.85 * 2 * capacity / SERVICE <= found.rate(30, END)


@pytest.mark.parametrize("refuses", [False, True])
@pytest.mark.parametrize("capacity", CAPACITIES)
def test_a_service_that_only_becomes_slower_keeps_its_requests(capacity: int, refuses: bool) -> None:
    """When each answer takes four times as long, with room for as many, the limit does not give way."""
    scene = Scene(
        steady(capacity), refuses=refuses, seconds=60.0, service=lambda now: SERVICE if now < 20 else 4 * SERVICE
    )

    found = simulate(AdaptiveLimit(), scene)

    assert 0.85 * capacity / (4 * SERVICE) <= found.rate(30, 60)


@pytest.mark.parametrize("capacity", UNEVEN)
@pytest.mark.parametrize("draw", DRAWS)
def test_answers_that_differ_widely_do_not_mislead_it(draw: str, capacity: int) -> None:
    """Whether answers take even, exponential, heavy-tailed or two kinds of times, it gets 85 % of the capacity."""
    scene = Scene(steady(capacity), seconds=50.0, draw=DRAWS[draw], seed=1)

    found, best = simulate(AdaptiveLimit(), scene), simulate(Fixed(capacity), scene)

    assert 0.85 * best.rate(SETTLED, 50) <= found.rate(SETTLED, 50)


@pytest.mark.parametrize("refuses", [False, True])
@pytest.mark.parametrize("capacity", UNEVEN)
def test_a_speed_that_wanders_does_not_mislead_it(capacity: int, refuses: bool) -> None:
    """When the service is by turns up to 30 % faster and slower, a second each, it gets 85 % of the capacity."""
    random = Random(7)
    pace = [1.3 ** random.uniform(-1, 1) for _ in range(60)]
    scene = Scene(
        steady(capacity), refuses=refuses, seconds=60.0, service=lambda now: SERVICE * pace[min(59, int(now))]
    )

    found, best = simulate(AdaptiveLimit(), scene), simulate(Fixed(capacity), scene)

    assert 0.85 * best.rate(SETTLED, 60) <= found.rate(SETTLED, 60)


@pytest.mark.parametrize("capacity", CAPACITIES)
def test_it_does_not_creep_up(capacity: int) -> None:
    """Over fifty thousand answers of a service that queues, the limit ends no higher than it was."""
    seconds = 50_000 * SERVICE / capacity
    found = simulate(AdaptiveLimit(), Scene(steady(capacity), seconds=seconds))

    early, late = found.range(seconds / 10, seconds / 5)[1], found.range(seconds * 0.9, seconds)[1]
    assert late <= 1.3 * early
    assert late <= 1.5 * capacity


@pytest.mark.parametrize("capacity", CAPACITIES)
def test_it_comes_back_after_an_outage(capacity: int) -> None:
    """Ten seconds of refusals take the limit to one; ten seconds later it has 85 % of the capacity again."""
    found = simulate(AdaptiveLimit(), Scene(lambda now: 0 if 10 < now < 20 else capacity, refuses=True))

    assert 1 == found.range(15, 20)[2]
    assert 0.85 * capacity / SERVICE <= found.rate(30, END)


@pytest.mark.parametrize("capacity", CAPACITIES)
@pytest.mark.parametrize("refuses", [False, True])
def test_bulk_alone_gets_as_much(capacity: int, refuses: bool) -> None:
    """Bulk work, which may take only three quarters of the limit, gets 85 % of the capacity too."""
    found = simulate(AdaptiveLimit(), Scene(steady(capacity), refuses=refuses, share=0.75))

    assert 0.85 * best_fixed(capacity, refuses=refuses) <= found.rate(SETTLED, END)


@pytest.mark.parametrize("callers", [1, 2, 4])
def test_a_client_with_little_to_do_does_not_grow_it(callers: int) -> None:
    """With fewer callers than slots nobody waits, and the limit stays where it was."""
    found = simulate(AdaptiveLimit(), Scene(steady(64), callers=callers))

    assert {4} == {limit for _, limit in found.limits}


def test_it_grows_to_its_cap_and_no_further() -> None:
    """A service that bears anything is asked for as much as the cap."""
    found = simulate(AdaptiveLimit(), Scene(steady(10_000), seconds=10.0))

    assert CAP == max(limit for _, limit in found.limits) == found.limits[-1][1]


@given(
    cap=st.integers(1, 200),
    events=st.lists(
        st.tuples(
            st.floats(0, 1), st.floats(0, 100), st.integers(1, 200), st.sampled_from(["busy", "idle", "refused"])
        ),
        max_size=300,
    ),
)
def test_it_never_leaves_its_bounds(cap: int, events: list[tuple[float, float, int, str]]) -> None:
    """Whatever it hears, the limit is at least one and at most the cap."""
    limiter, now = AdaptiveLimit(cap), 0.0
    seen = [limiter.limit]

    for gap, latency, busy, kind in events:
        now += gap
        if kind == "refused":
            limiter.refused(now, latency)
        else:
            for _ in range(20):
                limiter.answered(now, latency, busy, wanted=kind == "busy")
        seen.append(limiter.limit)

    assert 1 <= min(seen)
    assert max(seen) <= cap
