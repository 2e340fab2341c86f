"""What is drawn once for a whole collection, before any of its runs: owner, datasets, metrics, rhythm.

Everything is a function of the seed and the id, so a collection looks the same in an account of any size, and
nothing is kept.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log
from random import Random
from typing import Final

from aegis_async.sandbox import _example as example
from aegis_async.sandbox._vocabulary import (
    COLLEAGUES,
    COLUMN_MAPPINGS,
    METRICS,
    MONTHS,
    ORGANIZATION,
    ORGANIZATION_EMAIL,
    OWNER,
    PURPOSES,
    STRUCTURES,
    SUBJECTS,
    Document,
    Metric,
)

FIRST_DAY: Final = datetime(2025, 10, 1)  # noqa: DTZ001 - all times here are UTC and written with a Z
RUNS_PER_COLLECTION: Final = 10_000  # room for ids, so that an id tells its collection
DATASETS_PER_COLLECTION: Final = 10

_COLLEAGUES_DIGIT: Final = 3
_ORGANIZATIONS_DIGIT: Final = 6
_MINUTES: Final = 126_300  # puts collection 14 at the date on the page

# (share of collections up to here, fewest, most): long tails, as in life.
_RUN_COUNTS: Final = ((0.04, 0, 0), (0.60, 1, 4), (0.93, 5, 9), (0.99, 10, 25), (1.0, 30, 60))
_RECORD_COUNTS: Final = ((0.80, 2, 6), (0.97, 8, 20), (1.0, 40, 80))
_METRIC_COUNTS: Final = ((0.70, 2, 3), (0.95, 4, 5), (1.0, 6, 8))
_DATASET_COUNTS: Final = ((0.05, 0, 0), (0.80, 1, 1), (1.0, 2, 4))
_THRESHOLDS: Final = (60, 65, 70, 70, 75, 80, 72.5, 70.0)  # both spellings of a number, as the service may send
_CADENCES: Final = (20, 24, 24, 72, 168, 168, 336)  # hours from one run to the next
_UNDER_WAY: Final = 0.1  # the share of collections whose last run has not finished
_LOOSE: Final = 11  # one dataset in so many does not say which collection it is in


@dataclass(frozen=True, slots=True)
class Plan:
    """What all runs of one collection have in common."""

    id: int
    owner: Document  # the three fields that say whose it is: user, org_id, author_email
    subject: str
    purpose: str
    created: datetime
    metrics: tuple[Metric, ...]
    threshold: float
    records: int
    runs: int
    cadence: timedelta
    unfinished: bool


def is_shared(collection_id: int) -> bool:
    """Tell whether a collection is a colleague's or the organization's, by the last digit of its id."""
    return collection_id % 10 in {_COLLEAGUES_DIGIT, _ORGANIZATIONS_DIGIT}


def stream(*parts: int) -> Random:
    """Give the random numbers that belong to a place in the account, the same ones each time."""
    return Random(":".join(map(str, parts)))  # noqa: S311 - made-up numbers, not secrets


def stamp(moment: datetime) -> str:
    """Write a moment as the service does."""
    return f"{moment.isoformat()}Z"


def run_count(seed: int, collection_id: int) -> int:
    """Count the runs that a collection has before any change."""
    return 0 if collection_id == example.EXAMPLE_ID else _counts(stream(seed, collection_id), collection_id)[0]


def dataset_ids(seed: int, collection_id: int) -> list[int]:
    """List the ids of a collection's datasets."""
    if collection_id == example.EXAMPLE_ID:
        return [example.EXAMPLE_DATASET_ID]
    count = _counts(stream(seed, collection_id), collection_id)[1]
    return [collection_id * DATASETS_PER_COLLECTION + k for k in range(count)]


def plan(seed: int, collection_id: int) -> Plan:
    """Draw what a collection's runs have in common."""
    rng = stream(seed, collection_id)
    runs, _ = _counts(rng, collection_id)
    return Plan(
        id=collection_id,
        owner=_owner(rng, collection_id),
        subject=rng.choice(SUBJECTS),
        purpose=rng.choice(PURPOSES),
        created=FIRST_DAY + timedelta(minutes=int(_MINUTES * log(1 + collection_id / 2))),
        metrics=tuple(sorted(rng.sample(METRICS, _draw(rng, _METRIC_COUNTS)))),
        threshold=rng.choice(_THRESHOLDS),
        records=_draw(rng, _RECORD_COUNTS),
        runs=0 if collection_id == example.EXAMPLE_ID else runs,
        cadence=timedelta(hours=rng.choice(_CADENCES)),
        unfinished=rng.random() < _UNDER_WAY,
    )


def datasets(seed: int, drawn: Plan) -> list[Document]:
    """Give a collection's datasets with all their facts."""
    if drawn.id == example.EXAMPLE_ID:
        return [example.DATASET]
    return [_dataset(stream(seed, drawn.id, key), key, drawn) for key in dataset_ids(seed, drawn.id)]


def _counts(rng: Random, collection_id: int) -> tuple[int, int]:
    # Run 1 always exists, so that `/runs/1` of the documentation can be tried.
    runs = max(_draw(rng, _RUN_COUNTS), 1 if collection_id == 1 else 0)
    return runs, _draw(rng, _DATASET_COUNTS)


def _draw(rng: Random, table: tuple[tuple[float, int, int], ...]) -> int:
    share = rng.random()
    fewest, most = next((low, high) for limit, low, high in table if share < limit)
    return rng.randint(fewest, most)


def _owner(rng: Random, collection_id: int) -> Document:
    colleague = rng.choice(COLLEAGUES)
    if not is_shared(collection_id):
        return {"user": OWNER, "org_id": None, "author_email": OWNER["email"]}
    if collection_id % 10 == _ORGANIZATIONS_DIGIT:
        return {"user": None, "org_id": ORGANIZATION, "author_email": ORGANIZATION_EMAIL}
    return {"user": colleague, "org_id": ORGANIZATION, "author_email": colleague["email"]}


def _dataset(rng: Random, dataset_id: int, drawn: Plan) -> Document:
    made = drawn.created - timedelta(minutes=rng.randint(30, 60 * 24 * 20))
    picked = rng.choice((None, {str(m.id): rng.choice((60, 70, 80)) for m in drawn.metrics}))
    return {
        **drawn.owner,
        "id": dataset_id,
        "name": f"{drawn.subject} - {MONTHS[made.month - 1]}",
        "dataset_type_id": rng.randint(1, 3),
        "structure": rng.choice(STRUCTURES),
        "selected_metrics": picked,
        "column_mappings": rng.choice(COLUMN_MAPPINGS),
        "data_collection_id": drawn.id if dataset_id % _LOOSE else None,
        "created_at": stamp(made),
        "updated_at": rng.choice((None, stamp(made + timedelta(minutes=rng.randint(1, 30))))),
    }
