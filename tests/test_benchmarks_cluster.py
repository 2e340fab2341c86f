"""The simulated cluster stays within what arithmetic allows, and loses nothing whatever fails."""

import msgspec
import pytest

from benchmarks.cluster import Case, kept, sweep
from benchmarks.cluster_bounds import alone, bounds, recommended
from benchmarks.cluster_costs import Commits, Costs, commits, costs_of
from benchmarks.cluster_lines import Admission, Line
from benchmarks.cluster_model import simulate
from benchmarks.cluster_plan import Outcome, Plan
from benchmarks.cluster_sweeps import sweeps
from benchmarks.cluster_tables import SIMULATED, measured
from benchmarks.results import FOLDER, read

COSTS = Costs(begin=1.0, collection=0.01, size=500_000, item=2e-5, commits=Commits(1e-5, 1e-7))
SMALL = Plan(workers=4, keys=2, rate=100.0, collections=10_050, partition=100)
FAILURES = (
    {"crashes": 60.0},
    {"crashes": 60.0, "grouped": True},
    {"faults": 0.2},
    {"throttles": 600.0},
    {"asked": 0.0},
    {"asked": 1.2},
    {"asked": 0.0, "faults": 0.1, "throttles": 60.0, "crashes": 60.0},
)


def pages(plan: Plan) -> int:
    return -(-plan.collections // plan.page)


def test_a_line_serves_one_after_the_other() -> None:
    """What is asked for while the line is busy waits, and what comes to an idle line does not."""
    line = Line(10.0)

    ends = [line.take(0.0, 5), line.take(0.0, 5), line.take(9.0, 5)]

    assert [0.5, 1.0, 9.5] == ends
    assert 1.5 == line.busy


def test_the_service_admits_its_rate_and_a_burst_after_a_quiet_time() -> None:
    """Evenly spaced requests all pass; of a thousand at once it takes a second's worth, and then none."""
    spaced, stormed = Admission(10.0, 1.0), Admission(10.0, 1.0)

    assert [10] * 5 == [spaced.admit(second, second + 1.0, 10) for second in range(5)]
    assert [10, 0, 5] == [stormed.admit(at, at, 1000) for at in (0.0, 0.0, 0.5)]


@pytest.mark.parametrize("partition", [100, 500, 1000])
def test_one_worker_takes_what_arithmetic_says(partition: int) -> None:
    """Without failures and with a rate above its own, one worker comes within 1 % of the closed form."""
    plan = Plan(workers=1, keys=1, rate=1e6, collections=10_000, partition=partition)

    outcome = simulate(plan, COSTS)

    assert pytest.approx(alone(plan, COSTS), rel=0.01) == outcome.seconds
    assert "cpu" == outcome.bottleneck
    assert plan.collections + pages(plan) == outcome.requests


@pytest.mark.parametrize("workers", [1, 3, 40])
@pytest.mark.parametrize("keys", [1, 7])
@pytest.mark.parametrize("failure", [{}, *FAILURES])
def test_nothing_is_faster_than_the_bounds(workers: int, keys: int, failure: dict[str, float]) -> None:
    """No resource gives more than it has: above all, no more requests are answered than keys times rate."""
    plan = msgspec.structs.replace(SMALL, workers=workers, keys=keys, **failure)

    outcome = simulate(plan, COSTS)

    assert max(bounds(plan, COSTS).values()) <= outcome.seconds
    assert (outcome.requests - outcome.refused) / keys <= plan.rate * (outcome.seconds + plan.burst) + 1
    assert max(outcome.busy.values()) <= 1 + plan.burst / outcome.seconds


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_partition_is_committed_once(failure: dict[str, float], seed: int) -> None:
    """Whatever dies or is refused, each partition is committed exactly once, and every request is accounted for."""
    plan = msgspec.structs.replace(SMALL, seed=seed, **failure)

    outcome = simulate(plan, COSTS)

    assert [1] * -(-plan.collections // plan.partition) == outcome.committed
    once = plan.collections + pages(plan) + outcome.repeated + outcome.refused
    assert once == outcome.requests if "faults" not in failure else once < outcome.requests


def test_failures_of_each_kind_happen() -> None:
    """Workers that die repeat some work, refusals are counted, and each makes the job longer."""
    sound = simulate(SMALL, COSTS)
    dying = simulate(msgspec.structs.replace(SMALL, crashes=60.0), COSTS)
    refused = simulate(msgspec.structs.replace(SMALL, throttles=600.0), COSTS)

    assert (0, 0, 0) == (sound.crashes, sound.repeated, sound.refused)
    assert dying.crashes > 0
    assert 0 < dying.repeated <= dying.crashes * SMALL.partition
    assert refused.refused > 0
    assert sound.seconds < min(dying.seconds, refused.seconds)


def test_a_limiter_that_holds_the_rate_is_never_refused() -> None:
    """Many workers on one key get no 429 with its limiter, and some without."""
    crowd = msgspec.structs.replace(SMALL, workers=20, keys=1, rate=400.0)

    limited, free = (simulate(msgspec.structs.replace(crowd, asked=asked), COSTS) for asked in (1.0, 0.0))

    assert 0 == limited.refused < free.refused


def test_the_same_seed_gives_the_same() -> None:
    """All chance comes from the plan's seed."""
    plan = msgspec.structs.replace(SMALL, crashes=60.0, faults=0.1, throttles=60.0)
    other = msgspec.structs.replace(plan, seed=1)

    assert simulate(plan, COSTS) == simulate(plan, COSTS) != simulate(other, COSTS)


def test_what_is_recommended_comes_near_the_bound() -> None:
    """With the recommended workers and partitions a job takes at most a fifth more than its resources need."""
    plan = recommended(5, 400.0, COSTS)

    assert simulate(plan, COSTS).seconds <= 1.2 * max(bounds(plan, COSTS).values())


def test_the_costs_are_those_of_the_kept_run() -> None:
    """What the kept cases were calibrated with is what the kept run says."""
    made = costs_of(read(FOLDER / "3.11.json"), commits())

    assert kept().costs == msgspec.structs.replace(made, commits=kept().costs.commits)
    assert 0 < made.commits.mark < made.collection


def test_the_model_is_near_what_was_measured() -> None:
    """Real exports and fan-outs took what was simulated, to two fifths."""
    ratios = [float(ratio) for *_, ratio in measured(read(FOLDER / "3.11.json"), kept().costs)]

    assert 6 == len(ratios)
    assert all(0.7 <= ratio <= 1.4 for ratio in ratios)


def test_the_kept_cases_are_those_of_the_sweeps() -> None:
    """Every plan has its outcome, and each table has a line for something of it."""
    made = kept()

    assert sweeps(made.costs) == {name: [one.plan for one in cases] for name, cases in made.cases.items()}
    assert all(table(made).count("\n") > 2 for table in SIMULATED.values())


def test_a_sweep_keeps_the_order_of_its_plans() -> None:
    """Plans that run in other processes come back beside their outcomes."""
    plans = [msgspec.structs.replace(SMALL, collections=number * 1000) for number in (2, 1)]

    made = sweep(COSTS, {"few": plans})

    assert [Case(plan, _without_commits(simulate(plan, COSTS))) for plan in plans] == made.cases["few"]


def _without_commits(outcome: Outcome) -> Outcome:
    return msgspec.structs.replace(outcome, committed=[])
