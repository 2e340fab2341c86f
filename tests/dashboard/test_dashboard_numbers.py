"""The dashboard's numbers: they add up, whatever the order and the cut, and are the account's own sums."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from statistics import fmean
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_async.dashboard._facts import RunFacts, added, cut, facts_of, scores_of
from aegis_async.dashboard._overview import MOST_METRICS, MOST_MODELS, MOST_SPANS, Overview, overview
from aegis_async.dashboard._spans import SPANS, Period, Span, period, start_of, suited
from aegis_async.dashboard._tally import tallied
from aegis_async.models import DataCollection
from tests.dashboard.serving import BEGIN, collection_facts, documents, run_facts

TODAY = date(2026, 11, 24)

_runs = st.lists(
    st.builds(
        run_facts,
        st.integers(0, 20_000),
        model=st.sampled_from([None, "a", "b", "c"]),
        passed=st.sampled_from([None, True, False]),
        cost=st.decimals(0, 100, places=6),
        scores=st.dictionaries(st.sampled_from(["faith", "tone"]), st.integers(0, 100).map(float)),
        finished_at=st.none(),
    ),
    max_size=40,
)


@cache
def account() -> list[Any]:
    """Read sixty collections of the sandbox's account."""
    return documents(60)


def all_runs() -> list[Any]:
    """Give their runs."""
    return [run for collection in account() for run in collection["runs"]]


def all_evaluations() -> list[Any]:
    """Give these runs' evaluations."""
    return [evaluation for run in all_runs() for evaluation in run["evaluations"]]


def whole(runs: list[RunFacts], days: int | None = None, span: Span | None = None) -> Overview:
    """Give the overview of some runs of one collection."""
    return overview(tallied([collection_facts(1, runs)]), TODAY, days, span)


def reduced() -> Overview:
    """Give the overview of the sandbox's account."""
    book = [facts_of(msgspec.convert(each, DataCollection, strict=False)) for each in account()]
    return overview(tallied(book), TODAY)


def test_counts_are_the_sandbox_s_own() -> None:
    """Runs, verdicts and evaluations are counted as one counts them in the JSON that the sandbox sends."""
    found = reduced().numbers

    assert len(all_runs()) == found.runs
    assert sum(run["result"] is not None for run in all_runs()) == found.judged
    assert sum(run["is_gte_threshold"] is True for run in all_runs()) == found.passed
    assert sum(run["finished_at"] is None for run in all_runs()) == found.unfinished
    assert len(all_evaluations()) == found.evaluations
    assert sum(one["result"] is not None for one in all_evaluations()) == found.evaluations_judged
    assert sum(one["is_gte_threshold"] is True for one in all_evaluations()) == found.evaluations_passed


def test_costs_are_the_sandbox_s_own_to_the_last_digit() -> None:
    """The cost is the exact sum of the evaluations' costs."""
    costs = [Decimal(one["evaluation_cost"]) for one in all_evaluations() if one["evaluation_cost"] is not None]

    found = reduced().numbers

    assert sum(costs) == Decimal(found.cost)
    assert len(costs) == found.metered


def test_scores_and_durations_are_the_sandbox_s_own_means() -> None:
    """A metric's mean is that of the runs' scores; the duration is from start to end."""
    scores = defaultdict(list)
    for run in all_runs():
        for metric, score in (run["aggregate_results"] or {}).items():
            scores[metric].append(score)
    ended = [run for run in all_runs() if run["finished_at"]]
    lasted = [moment(run["finished_at"]) - moment(run["started_at"]) for run in ended]

    found = reduced()

    assert {m: pytest.approx(fmean(s), abs=1e-4) for m, s in scores.items()} == {
        m.metric: m.mean for m in found.metrics
    }
    assert sum(lasted, timedelta()).total_seconds() == found.numbers.seconds
    assert len(ended) == found.numbers.timed


def test_models_and_days_are_the_sandbox_s_own() -> None:
    """Each model's row of a day counts the runs of that model which began on that day in UTC."""
    expected: dict[tuple[Any, str], int] = defaultdict(int)
    for run in all_runs():
        expected[run["model_slug"], run["started_at"][:10]] += 1
    book = [facts_of(msgspec.convert(each, DataCollection, strict=False)) for each in account()]

    found = overview(tallied(book), TODAY, None, "day")

    assert expected == {(row.model, str(day)): n.runs for row in found.models for day, n in row.spans}


def moment(text: str) -> datetime:
    """Read a timestamp of the sandbox."""
    return datetime.fromisoformat(text)


@given(runs=_runs, days=st.none() | st.integers(1, 400), span=st.sampled_from(SPANS))
def test_every_way_to_cut_adds_up_to_the_same(runs: list[RunFacts], days: int | None, span: Span) -> None:
    """Spans and models each hold every run of the period once."""
    found = whole(runs, days, span)

    for rows in ([row.numbers for row in found.spans], [row.numbers for row in found.models]):
        for field in ("runs", "judged", "passed", "unfinished", "evaluations", "metered"):
            assert getattr(found.numbers, field) == sum(getattr(row, field) for row in rows)
        assert Decimal(found.numbers.cost) == sum((Decimal(row.cost) for row in rows), Decimal(0))


@given(runs=_runs, seed=st.randoms())
def test_the_order_of_runs_changes_nothing(runs: list[RunFacts], seed: Any) -> None:
    """Any order of the same runs gives the same overview."""
    shuffled = runs.copy()
    seed.shuffle(shuffled)

    assert whole(runs) == whole(shuffled)


@given(runs=_runs.filter(bool), days=st.integers(1, 400))
def test_a_period_ends_with_the_last_run_up_to_today(runs: list[RunFacts], days: int) -> None:
    """So many days back from the last day that has a run, and not from a day in the future."""
    began = [run.started_at.date() for run in runs]
    last = max([day for day in began if day <= TODAY], default=max(began))

    found = whole(runs, days)

    assert sum(last - timedelta(days=days) < day <= last for day in began) == found.numbers.runs


def test_an_empty_account_is_all_zeros() -> None:
    """Nothing is divided, and there are no days."""
    found = overview(tallied([]), TODAY)

    assert (0, "0", None, (), ()) == (found.numbers.runs, found.numbers.cost, found.first, found.spans, found.models)


def test_the_answer_is_bounded() -> None:
    """However many models, metrics and days there are, the largest and latest are shown, and none is lost silently."""
    runs = [
        run_facts(24 * i, model=f"m{i % 100:03}", scores={f"s{i % 50}": 1.0}, started_at=BEGIN - timedelta(days=i))
        for i in range(1_000)
    ]

    found = whole(runs, None, "day")

    assert (MOST_SPANS, True) == (len(found.spans), found.cut)
    assert MOST_MODELS == len(found.models)
    assert 61 == found.models[-1].others
    assert MOST_METRICS == len(found.metrics)
    assert found.numbers.runs == sum(row.numbers.runs for row in found.models) == MOST_SPANS


@given(day=st.dates())
def test_a_span_begins_at_or_before_its_day(day: date) -> None:
    """Weeks begin on Monday, months on the first; the first week of all begins with the calendar."""
    week, month = start_of("week", day), start_of("month", day)

    assert week <= day
    assert 0 == week.weekday() or date.min == week
    assert (day.year, day.month, 1) == (month.year, month.month, month.day)
    assert day == start_of("day", day)


@pytest.mark.parametrize(("days", "span"), [(1, "day"), (45, "day"), (46, "week"), (400, "week"), (401, "month")])
def test_a_span_suits_the_period(days: int, span: Span) -> None:
    """As many days as fit a screen, then weeks, then months."""
    assert span == suited(TODAY - timedelta(days=days - 1), TODAY)


def test_a_period_longer_than_the_calendar_begins_with_it() -> None:
    """No number of days leads out of what a date can be."""
    assert Period(date.min, date(3, 1, 1)) == period(date(3, 1, 1), 36_500)


def test_hostile_costs_are_not_counted() -> None:
    """A cost of a million digits is finite, and adding or printing it would fill the memory."""
    total, metered = added([Decimal("0.10"), Decimal("9e999999"), Decimal("1e-999999"), None, Decimal("0.20")])

    assert (Decimal("0.30"), 2) == (total, metered)


def test_scores_are_numbers_only() -> None:
    """``aggregate_results`` is free-form: what is no number is no score."""
    aggregate = {"faith": 86, "note": "good", "ok": True, "nested": {"a": 1}, "tone": 71.5, "huge": 1e300}

    assert {"faith": 86.0, "tone": 71.5} == scores_of(aggregate)
    assert {} == scores_of(None)


def test_long_names_are_cut() -> None:
    """An answer's size does not depend on how long a name somebody has written."""
    assert 200 == len(cut("x" * 100_000) or "")
    assert "short" == cut("short")


def test_a_verdict_that_the_service_left_out_is_worked_out() -> None:
    """Where ``is_gte_threshold`` is null, a result at its threshold passes, and no result is no verdict."""
    document = {**account()[0]}
    run = {**next(run for run in all_runs() if run["result"] is not None), "is_gte_threshold": None, "evaluations": []}
    document["runs"] = [
        {**run, "id": 1, "result": 70, "threshold": 70},
        {**run, "id": 2, "result": 69, "threshold": 70},
        {**run, "id": 3, "result": None},
    ]

    facts = facts_of(msgspec.convert(document, DataCollection, strict=False))

    assert {1: True, 2: False, 3: None} == {each.id: each.passed for each in facts.runs}


@pytest.mark.parametrize(
    ("began", "day"),
    [("0001-01-01T00:00:00+14:00", date.min), ("9999-12-31T23:59:59-14:00", date.max)],
)
def test_a_day_outside_the_calendar_is_its_end(began: str, day: date) -> None:
    """A time zone may lead out of the years that there are: one such run hides no other."""
    found = whole([run_facts(1), run_facts(2, started_at=datetime.fromisoformat(began))])

    assert 2 == found.numbers.runs
    assert day in {found.first, found.last}


def test_a_day_is_a_day_in_utc() -> None:
    """A run that began late in the evening west of Greenwich counts for the next day."""
    late = run_facts(1, started_at=datetime.fromisoformat("2026-03-01T23:30:00-05:00").astimezone(UTC))

    assert date(2026, 3, 2) == whole([late]).first
