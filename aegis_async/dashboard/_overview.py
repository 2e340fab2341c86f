"""The overview: every number of the page's first screen, made from the cube by adding cells."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Final

from msgspec import Struct

from aegis_async.dashboard._facts import digits
from aegis_async.dashboard._spans import Period, Span, period, start_of, suited
from aegis_async.dashboard._tally import Cube, Tally

__all__ = [
    "MOST_METRICS",
    "MOST_MODELS",
    "MOST_SPANS",
    "Metric",
    "ModelRow",
    "Numbers",
    "Overview",
    "SpanRow",
    "overview",
]

MOST_MODELS: Final = 40  # the ones with the most runs; the others are one row together
MOST_METRICS: Final = 24  # the ones with the most scores
MOST_SPANS: Final = 750  # the latest
_DIGITS: Final = 4


class Numbers(Struct, frozen=True, gc=False):
    """Counts and sums over some runs, for JSON.

    Attributes:
        runs: All runs.
        judged: Runs with a result.
        passed: Runs that reached their threshold; the pass rate is ``passed / judged``.
        unfinished: Runs without an end.
        evaluations: All evaluations of these runs.
        evaluations_judged: Evaluations with a result.
        evaluations_passed: Evaluations that reached their threshold.
        metered: Evaluations whose cost is known.
        cost: The sum of these costs: decimal digits, exact.
        seconds: The sum of the durations of the runs that ended.
        timed: How many runs that is.
    """

    runs: int
    judged: int
    passed: int
    unfinished: int
    evaluations: int
    evaluations_judged: int
    evaluations_passed: int
    metered: int
    cost: str
    seconds: float
    timed: int


class Metric(Struct, frozen=True, gc=False):
    """One metric's mean over some runs.

    Attributes:
        metric: Its short name.
        mean: The mean of the runs' scores, each run counting once; four digits after the point.
        runs: Runs that have such a score.
    """

    metric: str
    mean: float
    runs: int


class SpanRow(Struct, frozen=True, gc=False):
    """One day, week or month with runs.

    Attributes:
        start: Its first day.
        numbers: Its counts and sums.
        metrics: Its scores, in the order of the overview's metrics.
    """

    start: date
    numbers: Numbers
    metrics: tuple[Metric, ...]


class ModelRow(Struct, frozen=True, gc=False):
    """One model.

    Attributes:
        model: Its slug; None for runs without one.
        others: How many models this row stands for beside the first; 0 but in the last row.
        numbers: Its counts and sums.
        spans: Its days, weeks or months with runs: first day and numbers.
    """

    model: str | None
    others: int
    numbers: Numbers
    spans: tuple[tuple[date, Numbers], ...]


class Overview(Struct, frozen=True, gc=False):
    """The answer of ``api/overview``.

    Attributes:
        days: How far back it goes from the last day with a run; None for all.
        span: What a row of ``spans`` is: a day, a week from Monday, a month.
        first: The first day with a run in it; None when there is none.
        last: The last one.
        cut: Whether earlier spans were left out, because there are more than 750.
        collections: Collections in the whole account.
        numbers: Counts and sums over all of these runs.
        spans: The spans with runs, in order.
        models: The models, those with the most runs first.
        metrics: The metrics, by name.
    """

    days: int | None
    span: Span
    first: date | None
    last: date | None
    cut: bool
    collections: int
    numbers: Numbers
    spans: tuple[SpanRow, ...]
    models: tuple[ModelRow, ...]
    metrics: tuple[Metric, ...]


def overview(cube: Cube, today: date, days: int | None = None, span: Span | None = None) -> Overview:
    """Add up the runs of some days by span, model and metric.

    Args:
        cube: All runs.
        today: Days are counted back from the last day with a run, today at the latest.
        days: How many; None takes all runs, later ones too.
        span: What to add up; None takes what suits the period's length.
    """
    within = period(cube.last(today), days)
    found = [day for day, _ in cube.cells if day in within]
    if not found:
        return Overview(days, span or "day", None, None, False, cube.collections, numbers(Tally()), (), (), ())  # noqa: FBT003 - a field
    first, last = min(found), max(found)
    span = span or suited(first, last)
    starts = sorted({start_of(span, day) for day in found})
    kept = frozenset(starts[-MOST_SPANS:])
    by_span, by_model = _grouped(cube, within, span, kept)
    whole = merged(by_span.values())
    metrics = _metrics(whole, _leading(whole))
    names = [each.metric for each in metrics]
    return Overview(
        days=days,
        span=span,
        first=max(first, min(kept)),
        last=last,
        cut=len(starts) > len(kept),
        collections=cube.collections,
        numbers=numbers(whole),
        spans=tuple(SpanRow(start, numbers(by_span[start]), _metrics(by_span[start], names)) for start in sorted(kept)),
        models=_models(by_model),
        metrics=metrics,
    )


_BySpan = dict[date, Tally]
_ByModel = dict[str | None, _BySpan]


def _grouped(cube: Cube, within: Period, span: Span, kept: frozenset[date]) -> tuple[_BySpan, _ByModel]:
    by_span: _BySpan = defaultdict(Tally)
    by_model: _ByModel = defaultdict(lambda: defaultdict(Tally))
    for (day, model), tally in cube.cells.items():
        start = start_of(span, day)
        if day in within and start in kept:
            by_span[start].merge(tally)
            by_model[model][start].merge(tally)
    return by_span, by_model


def _models(by_model: _ByModel) -> tuple[ModelRow, ...]:
    ranked = sorted(by_model.items(), key=lambda item: (-sum(t.runs for t in item[1].values()), item[0] or ""))
    if len(ranked) <= MOST_MODELS:
        return tuple(_model(model, 0, spans) for model, spans in ranked)
    shown, rest = ranked[: MOST_MODELS - 1], ranked[MOST_MODELS - 1 :]
    together: _BySpan = defaultdict(Tally)
    for _, spans in rest:
        for start, tally in spans.items():
            together[start].merge(tally)
    return (*(_model(model, 0, spans) for model, spans in shown), _model(None, len(rest), together))


def _model(model: str | None, others: int, spans: _BySpan) -> ModelRow:
    by_start = tuple((start, numbers(spans[start])) for start in sorted(spans))
    return ModelRow(model, others, numbers(merged(spans.values())), by_start)


def _leading(tally: Tally) -> list[str]:
    ranked = sorted(tally.scores, key=lambda metric: (-tally.scores[metric][1], metric))
    return sorted(ranked[:MOST_METRICS])


def _metrics(tally: Tally, names: Iterable[str]) -> tuple[Metric, ...]:
    found = ((name, *tally.scores[name]) for name in names if name in tally.scores)
    return tuple(Metric(name, round(total / count, _DIGITS), count) for name, total, count in found)


def merged(tallies: Iterable[Tally]) -> Tally:
    """Add tallies up."""
    whole = Tally()
    for tally in tallies:
        whole.merge(tally)
    return whole


def numbers(tally: Tally) -> Numbers:
    """Give a tally as it is sent."""
    return Numbers(
        runs=tally.runs,
        judged=tally.judged,
        passed=tally.passed,
        unfinished=tally.unfinished,
        evaluations=tally.evaluations,
        evaluations_judged=tally.judged_evaluations,
        evaluations_passed=tally.reached_evaluations,
        metered=tally.metered,
        cost=digits(tally.cost),
        seconds=round(tally.seconds, _DIGITS),
        timed=tally.timed,
    )
