"""The drill-down: one collection with its runs, one run with a page of its evaluations.

An answer has fields of ``_facts`` again: it is what the page reads, and stays as it is when those change.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from aegis_async.dashboard._facts import CollectionFacts, cut, digits, usable, verdict
from aegis_async.dashboard._lists import RunRow, pages, rows_of
from aegis_async.models import Evaluation

__all__ = [
    "EVALUATIONS_PAGE",
    "MOST_RUNS",
    "CollectionDetail",
    "EvaluationRow",
    "RunDetail",
    "collection_detail",
    "evaluation_row",
    "run_detail",
]

MOST_RUNS = 500  # of one collection, the latest
EVALUATIONS_PAGE = 100
_LONGEST_EXPLANATION = 2_000  # characters


class CollectionDetail(Struct, frozen=True, gc=False):
    """The answer of ``api/collections/ID``.

    Attributes:
        id: The collection's id.
        name: Its name.
        author: Its author's e-mail address, where known.
        created_at: When it was made.
        updated_at: None until the first change.
        datasets: The names of its datasets, 100 at most.
        runs: Its runs, the latest first, 500 at most.
        total_runs: How many it has.
        age: Seconds since the service sent this.
        stale: Whether that is too long ago.
    """

    id: int
    name: str
    author: str | None
    created_at: datetime
    updated_at: datetime | None
    datasets: tuple[str, ...]
    runs: tuple[RunRow, ...]
    total_runs: int
    age: float
    stale: bool


class EvaluationRow(Struct, frozen=True, gc=False):
    """One metric's score of one record.

    Attributes:
        id: The evaluation's id.
        record_id: The record that was scored.
        metric_id: The metric it was scored with.
        result: The score; None when there is none.
        threshold: The score from which it passes.
        passed: Whether it did; None without a result.
        explanation: The judge's words, 2,000 characters at most.
        cost: What the judge cost; None where it is not known.
        seconds: How long it took; None when it has no end.
    """

    id: int
    record_id: int
    metric_id: int
    result: float | None
    threshold: float
    passed: bool | None
    explanation: str | None
    cost: str | None
    seconds: float | None


class RunDetail(Struct, frozen=True, gc=False):
    """The answer of ``api/collections/ID/runs/ID``.

    Attributes:
        run: The run.
        page: The number of this page of evaluations, from 1.
        pages: How many there are, at most 1000.
        total: Evaluations in all of them.
        evaluations: At most 100 evaluations, in the order of their ids.
        age: Seconds since the service sent this.
        stale: Whether that is too long ago.
    """

    run: RunRow
    page: int
    pages: int
    total: int
    evaluations: tuple[EvaluationRow, ...]
    age: float
    stale: bool


def collection_detail(facts: CollectionFacts, age: float, stale: bool) -> CollectionDetail:  # noqa: FBT001 - a field
    """Give a collection as the page shows it."""
    latest = tuple(rows_of(facts))[: -MOST_RUNS - 1 : -1]
    return CollectionDetail(
        id=facts.id,
        name=facts.name,
        author=facts.author,
        created_at=facts.created_at,
        updated_at=facts.updated_at,
        datasets=facts.datasets,
        runs=latest,
        total_runs=len(facts.runs),
        age=round(age, 1),
        stale=stale,
    )


def run_detail(  # noqa: PLR0913, PLR0917 - the fields of one answer
    run: RunRow,
    page: int,
    total: int,
    evaluations: Sequence[EvaluationRow],
    age: float,
    stale: bool,  # noqa: FBT001 - a field
) -> RunDetail:
    """Give a run with a page of its evaluations."""
    number = pages(total, EVALUATIONS_PAGE)
    return RunDetail(run, page, number, total, tuple(evaluations), round(age, 1), stale)


def evaluation_row(evaluation: Evaluation) -> EvaluationRow:
    """Give an evaluation as the page shows it."""
    ended, cost = evaluation.finished_at, evaluation.evaluation_cost
    return EvaluationRow(
        id=evaluation.id,
        record_id=evaluation.record_id,
        metric_id=evaluation.metric_id,
        result=evaluation.result,
        threshold=evaluation.threshold,
        passed=verdict(evaluation),
        explanation=cut(evaluation.explanation, _LONGEST_EXPLANATION),
        cost=None if cost is None or not usable(cost) else digits(cost),
        seconds=None if ended is None else max(0.0, (ended - evaluation.started_at).total_seconds()),
    )
