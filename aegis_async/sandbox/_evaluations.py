"""The evaluations of one run: single answers whose mean is the run's score."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Final, NamedTuple

from aegis_async.sandbox._plans import stamp, stream
from aegis_async.sandbox._runs import Run
from aegis_async.sandbox._vocabulary import BLAME, BREAKDOWNS, PRAISE, Document, Metric

EVALUATIONS_PER_RUN: Final = 10_000
RECORDS_PER_DATASET: Final = 1_000

_BREAKDOWN_SHARE: Final = 0.04
_SILENT_SHARE: Final = 0.25  # of judgements come without an explanation
_UNMETERED_SHARE: Final = 0.1  # of evaluations carry no tokens and no cost
_REVISED: Final = 17  # one evaluation in so many, by its id, was changed afterwards
_REVISED_AFTER: Final = timedelta(seconds=90)  # less than a run takes to be changed after its end
_DONE: Final = 0.4  # how far a run under way has come
_SENTENCES: Final = (1, 1, 1, 2, 3, 9)  # most explanations are short
_MICROS: Final = 1_000_000


class _Judgement(NamedTuple):
    metric: Metric
    record: int
    result: float | None
    pending: bool


def evaluations(seed: int, run: Run) -> list[Document]:
    """Give a run's evaluations in the order in which they were made."""
    rng = stream(seed, run.facts["id"])
    planned = list(_judgements(rng, run))
    pace = run.lasted / (len(planned) + 1)
    return [
        _evaluation(rng, run, j, judgement, (run.started + j * pace, run.started + (j + 1) * pace))
        for j, judgement in enumerate(planned if run.finished else _under_way(planned))
    ]


def _judgements(rng: Random, run: Run) -> Iterator[_Judgement]:
    for metric, score in run.scores.items():
        room = min(metric.spread, score, 100.0 - score)
        for record, stray in enumerate(_strays(rng, room, run.records)):
            yield _Judgement(metric, record, round(score + stray, 1), pending=False)
        if rng.random() < _BREAKDOWN_SHARE:
            yield _Judgement(metric, run.records, None, pending=False)


def _strays(rng: Random, room: float, count: int) -> list[float]:
    # In pairs that cancel out, so that the mean is the score to the last digit.
    steps = [round(room * rng.random(), 1) for _ in range(count // 2)]
    return [stray for step in steps for stray in (step, -step)] + [0.0] * (count % 2)


def _under_way(planned: list[_Judgement]) -> list[_Judgement]:
    done = planned[: int(len(planned) * _DONE) + 1]
    return [*done[:-1], done[-1]._replace(result=None, pending=True)]


def _evaluation(rng: Random, run: Run, j: int, judgement: _Judgement, span: tuple[datetime, datetime]) -> Document:
    metric, record, result, pending = judgement
    facts = run.facts
    threshold = _threshold(run, metric)
    begun, ended = stamp(span[0]), None if pending else stamp(span[1])
    id_ = facts["id"] * EVALUATIONS_PER_RUN + j + 1
    return {
        "id": id_,
        "user_id": facts["user"] and facts["user"]["id"],
        "run_id": facts["id"],
        "record_id": (facts["dataset_id"] or facts["id"]) * RECORDS_PER_DATASET + record + 1,
        "metric_id": metric.id,
        "dataset_id": facts["dataset_id"],
        "result": result,
        "threshold": threshold,
        "explanation": None if pending else _explanation(rng, result, threshold),
        "model_slug": facts["model_slug"],
        "started_at": begun,
        "finished_at": ended,
        **_meter(rng, run, pending=pending),
        "is_success": None if pending else result is not None,
        "is_gte_threshold": None if result is None else result >= threshold,
        "created_at": ended or begun,
        "updated_at": None if pending or id_ % _REVISED else stamp(span[1] + _REVISED_AFTER),
        "eval_metadata": None if pending else _metadata(rng, j),
    }


def _threshold(run: Run, metric: Metric) -> float:
    dataset = run.facts["dataset"]
    picked: dict[str, float] = (dataset and dataset["selected_metrics"]) or {}
    return picked.get(str(metric.id), run.threshold)


def _explanation(rng: Random, result: float | None, threshold: float) -> str | None:
    if result is None:
        return rng.choice(BREAKDOWNS)
    if rng.random() < _SILENT_SHARE:
        return None
    sentences = PRAISE if result >= threshold else BLAME
    return " ".join(rng.choice(sentences) for _ in range(rng.choice(_SENTENCES)))


def _meter(rng: Random, run: Run, *, pending: bool) -> Document:
    if pending or rng.random() < _UNMETERED_SHARE:
        return dict.fromkeys(("input_tokens", "output_tokens", "evaluation_cost"))
    given, taken = rng.randint(200, 4_000), rng.randint(20, 600)
    micros = (given + 4 * taken) * run.model.price // 1_000
    cost = f"{micros // _MICROS}.{micros % _MICROS:06d}"
    return {"input_tokens": given, "output_tokens": taken, "evaluation_cost": cost}


def _metadata(rng: Random, j: int) -> Document | None:
    shapes: tuple[Document | None, ...] = (
        None,
        None,
        {"judge": "gpt-4o", "temperature": 0, "retries": j % 3},
        {"language": rng.choice(("de", "en", "fr", "日本語")), "tags": ["checked", "naïve"]},
        {"trace": {"id": f"{rng.getrandbits(64):016x}", "spans": [{"ms": rng.random() * 900, "ok": True}]}},
        {},
    )
    return rng.choice(shapes)
