"""What the dashboard keeps of a collection: a few numbers for each run, whatever the number of evaluations."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Context, Decimal
from typing import Final, NamedTuple

from msgspec import Struct

from aegis_async.models import DataCollection, Evaluation, Run

__all__ = [
    "LONGEST_NAME",
    "MOST_DATASETS",
    "CollectionFacts",
    "Costs",
    "RunFacts",
    "added",
    "cut",
    "digits",
    "facts_of",
    "scores_of",
    "usable",
    "verdict",
]

LONGEST_NAME: Final = 200  # characters; names are written by anybody, and answers are bounded
MOST_DATASETS: Final = 100  # names of one collection
_METRICS: Final = 100  # of one run
_EXACT: Final = Context(prec=60)
_LARGEST, _FINEST = 15, -18  # powers of ten; beyond them a cost is no cost, and its digits could fill the memory


class RunFacts(Struct, frozen=True, gc=False):
    """One run in numbers.

    Attributes:
        id: The run's id.
        model: ``model_slug``, cut to 200 characters; None where the service has none.
        alias: A name that somebody gave the run.
        started_at: When it began; its day in UTC is the day it counts for.
        finished_at: None while it is unfinished.
        result: Its score, None when there is none; only a run with a result is judged.
        threshold: The score from which it passes.
        passed: ``is_gte_threshold``, or where that is null ``result >= threshold``; None when it is not judged.
        scores: Metric to score, the numbers of ``aggregate_results``.
        cost: The sum of its evaluations' costs.
        metered: Evaluations whose cost is known.
        evaluations: All of its evaluations.
        judged: Evaluations with a result.
        reached: Evaluations that reached their threshold.
    """

    id: int
    model: str | None
    alias: str | None
    started_at: datetime
    finished_at: datetime | None
    result: float | None
    threshold: float
    passed: bool | None
    scores: Mapping[str, float]
    cost: Decimal
    metered: int
    evaluations: int
    judged: int
    reached: int

    @property
    def seconds(self) -> float | None:
        """From its start to its end; None when it has no end, or one before its start."""
        if self.finished_at is None or self.finished_at < self.started_at:
            return None
        return (self.finished_at - self.started_at).total_seconds()


class CollectionFacts(Struct, frozen=True, gc=False):
    """One collection in numbers.

    Attributes:
        id: The collection's id.
        name: Its name, cut to 200 characters.
        author: The e-mail address of its author, where known.
        created_at: When it was made.
        updated_at: None until the first change.
        datasets: The names of its datasets, 100 at most.
        runs: Its runs, oldest first.
    """

    id: int
    name: str
    author: str | None
    created_at: datetime
    updated_at: datetime | None
    datasets: tuple[str, ...]
    runs: tuple[RunFacts, ...]


class Costs(NamedTuple):
    """The costs of some evaluations: their sum, and how many are known."""

    total: Decimal
    metered: int


def facts_of(collection: DataCollection) -> CollectionFacts:
    """Reduce a full collection to what is kept of it."""
    runs = sorted(map(_run_facts, collection.runs), key=lambda run: (run.started_at, run.id))
    return CollectionFacts(
        id=collection.id,
        name=cut(collection.name) or "",
        author=cut(collection.author_email),
        created_at=collection.created_at,
        updated_at=collection.updated_at,
        datasets=tuple(cut(each.name) or "" for each in collection.datasets[:MOST_DATASETS]),
        runs=tuple(runs),
    )


def _run_facts(run: Run) -> RunFacts:
    costs = added(each.evaluation_cost for each in run.evaluations)
    verdicts = [verdict(each) for each in run.evaluations]
    return RunFacts(
        id=run.id,
        model=cut(run.model_slug),
        alias=cut(run.alias),
        started_at=run.started_at,
        finished_at=run.finished_at,
        result=run.result,
        threshold=run.threshold,
        passed=verdict(run),
        scores=scores_of(run.aggregate_results),
        cost=costs.total,
        metered=costs.metered,
        evaluations=len(verdicts),
        judged=sum(each is not None for each in verdicts),
        reached=sum(each is True for each in verdicts),
    )


def verdict(judged: Run | Evaluation) -> bool | None:
    """Tell whether a result reached its threshold: the service's own word, else the comparison."""
    if judged.result is None:
        return None
    return judged.result >= judged.threshold if judged.is_gte_threshold is None else judged.is_gte_threshold


def added(costs: Iterable[Decimal | None]) -> Costs:
    """Add costs exactly; those that are unknown, or beyond what money can be, are not counted."""
    total, metered = Decimal(0), 0
    for cost in costs:
        if cost is not None and usable(cost):
            total = _EXACT.add(total, cost)
            metered += 1
    return Costs(total, metered)


def digits(cost: Decimal) -> str:
    """Write a cost as decimal digits, without zeros at the end."""
    return format(_EXACT.normalize(cost), "f")


def usable(cost: Decimal) -> bool:
    """Tell whether a cost lies between 10^-18 and 10^16, so that adding and printing it has an end."""
    exponent = cost.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= _FINEST and cost.adjusted() <= _LARGEST


def scores_of(aggregate: object) -> dict[str, float]:
    """Give the numbers of ``aggregate_results``, 100 at most; what is no number is no score."""
    if not isinstance(aggregate, Mapping):
        return {}
    numbers = {
        cut(str(name)) or "": float(score)
        for name, score in aggregate.items()
        if isinstance(score, int | float) and not isinstance(score, bool) and abs(score) < 1e15  # noqa: PLR2004 - JSON's safe range
    }
    return dict(list(numbers.items())[:_METRICS])


def cut(text: str | None, longest: int = LONGEST_NAME) -> str | None:
    """Give a text in at most so many characters, the last an ellipsis where something is left out."""
    return text if text is None or len(text) <= longest else f"{text[: longest - 1]}…"
