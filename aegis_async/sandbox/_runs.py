"""The runs of a collection: scores first, then the evaluations that add up to them.

Drawing a run's result before its evaluations keeps a listing cheap, and makes both forms agree.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import fsum
from random import Random
from typing import Final

from aegis_async.sandbox import _example as example
from aegis_async.sandbox._plans import FIRST_DAY, RUNS_PER_COLLECTION, Plan, stamp, stream
from aegis_async.sandbox._vocabulary import (
    LABELS,
    MODELS,
    RUN_SOURCES,
    RUN_TYPES,
    Document,
    Metric,
    Model,
)

_MONTH: Final = timedelta(days=30)
# A bad release of the judge's prompt: everyone's faithfulness fell for three weeks, and recovered.
_DIP: Final = (timedelta(days=150), timedelta(days=171), "faith", -11.0)
_CURRENT: Final = 9  # a team tries the latest models, not all there ever were
_CUSTOM_SHARE: Final = 0.15  # of runs belong to no dataset
_LOWEST, _HIGHEST = 4.0, 99.0
# One in so many, by its id: what the page allows to be null, and to be set, without another draw.
_LOOSE: Final = 13  # runs do not say which collection they are in
_UNNAMED: Final = 7  # custom runs do not say of which model their answers are
_RENAMED: Final = 5  # finished runs were changed afterwards
_RENAMED_AFTER: Final = timedelta(minutes=2)  # from the end of a run, before its collection's update


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its facts as documents hold them, and what its evaluations are made from."""

    facts: Document
    model: Model
    scores: dict[Metric, float]
    threshold: float
    records: int
    started: datetime
    lasted: timedelta
    finished: bool


def runs(seed: int, drawn: Plan, datasets: list[Document], revision: int) -> list[Run]:
    """Give a collection's runs, oldest first; each change has added one and ended the one under way."""
    under_way = drawn.runs - 1 if drawn.unfinished and revision == 0 else -1
    made = [_run(seed, drawn, datasets, k, finished=k != under_way) for k in range(drawn.runs + revision)]
    return [_example_run(drawn), *made] if drawn.id == example.EXAMPLE_ID else made


def _example_run(drawn: Plan) -> Run:
    return Run(example.RUN, MODELS[0], {}, 0.0, 0, drawn.created, timedelta(0), finished=True)


def _run(seed: int, drawn: Plan, datasets: list[Document], k: int, *, finished: bool) -> Run:
    """Draw the k-th run of a collection."""
    rng = stream(seed, drawn.id, k, 1)
    dataset = rng.choice(datasets) if datasets and rng.random() > _CUSTOM_SHARE else None
    started = drawn.created + k * drawn.cadence + timedelta(seconds=rng.randint(300, 3_600))
    released = bisect_right(MODELS, (started - FIRST_DAY).days, key=lambda model: model.released)
    model = rng.choice(MODELS[max(released - _CURRENT, 0) : released])
    scores = {metric: _score(rng, model, metric, started) for metric in drawn.metrics}
    lasted = timedelta(seconds=2 * drawn.records * len(drawn.metrics) + rng.randint(10, 60))
    id_ = (drawn.id - 1) * RUNS_PER_COLLECTION + k + 1
    facts: Document = {
        **drawn.owner,
        "id": id_,
        **_origin(rng, k, dataset, started),
        **_outcome(drawn, scores, started + lasted, finished=finished),
        "number_of_metrics": len(scores),
        "threshold": drawn.threshold,
        "model_slug": model.slug if dataset or id_ % _UNNAMED else None,
        "data_collection_id": drawn.id if id_ % _LOOSE else None,
        "updated_at": stamp(started + lasted + _RENAMED_AFTER) if finished and id_ % _RENAMED == 0 else None,
    }
    return Run(facts, model, scores, drawn.threshold, drawn.records, started, lasted, finished)


def _origin(rng: Random, k: int, dataset: Document | None, started: datetime) -> Document:
    return {
        "run_type": RUN_TYPES[1 if dataset else 0],
        "run_source": rng.choice(RUN_SOURCES),
        "api_key_id": rng.randint(10, 14),
        "dataset_id": dataset["id"] if dataset else None,
        "dataset": dataset,
        "alias": rng.choice((None, f"{rng.choice(LABELS)}-{k + 1}")),
        "started_at": stamp(started),
        "created_at": stamp(started),
    }


def _outcome(drawn: Plan, scores: dict[Metric, float], ended: datetime, *, finished: bool) -> Document:
    if not finished:
        return dict.fromkeys(("result", "aggregate_results", "finished_at", "is_gte_threshold"))
    # fsum is exact; sum() itself was changed in Python 3.12, and seeds must mean the same everywhere.
    result = round(fsum(scores.values()) / len(scores), 2)
    return {
        "result": result,
        "aggregate_results": {metric.shortname: _short(score) for metric, score in scores.items()},
        "finished_at": stamp(ended),
        "is_gte_threshold": result >= drawn.threshold,
    }


def _score(rng: Random, model: Model, metric: Metric, moment: datetime) -> float:
    age = moment - FIRST_DAY
    begins, ends, shortname, depth = _DIP
    dip = depth if shortname == metric.shortname and begins <= age < ends else 0.0
    noise = 8.0 * (rng.random() + rng.random() - 1.0)
    drift = metric.monthly * min(age / _MONTH, 12.0)
    return round(min(max(model.quality + metric.offset + drift + dip + noise, _LOWEST), _HIGHEST), 1)


def _short(score: float) -> float:
    # The page writes 86, not 86.0, in aggregate_results.
    return int(score) if score.is_integer() else score
