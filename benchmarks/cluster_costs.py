"""What the simulated cluster costs: taken from the runs that are kept, and from a commit that is made here and now."""

import time
from datetime import UTC, datetime
from statistics import median
from typing import Final

import msgspec

from aegis_async.export._commits import Chunk, Commit, Part, State
from aegis_async.export._holdings import Mark, Pass
from benchmarks.export_account import Account
from benchmarks.results import Run, costs

__all__ = ["EVALUATIONS", "Commits", "Costs", "commits", "costs_of"]

EVALUATIONS: Final = 1000
"""Of one collection, as in `benchmarks.export`."""

_SMALLEST, _LARGEST = 1_000, 1_000_000  # evaluations of the exports that were measured
_PAGE: Final = 1000
_FEW, _MANY, _ROUNDS = 10, 1000, 30


class Commits(msgspec.Struct, frozen=True):
    """CPU time of a commit at the driver.

    Attributes:
        each: Seconds for a commit without collections.
        mark: Seconds more for each collection that it names.
    """

    each: float
    mark: float


class Costs(msgspec.Struct, frozen=True):
    """What was measured on one machine.

    Attributes:
        begin: Seconds of CPU time that an export takes whatever its size.
        collection: Seconds of CPU time at a worker for one collection: fetched, decoded, converted, written.
        size: Bytes of its JSON.
        item: Seconds of CPU time at the driver for one item of the listing.
        commits: CPU time of the driver's commits.
    """

    begin: float
    collection: float
    size: int
    item: float
    commits: Commits


def costs_of(run: Run, committed: Commits) -> Costs:
    """Give the costs by the exports and listings of a run; the slope between two sizes is free of the start."""
    small, large = (_exported(run, size, "processor s") for size in (_SMALLEST, _LARGEST))
    collection = (large - small) / (_LARGEST - _SMALLEST) * EVALUATIONS
    page = f"listing, pages of {_PAGE}"
    pages = run.scale.pages_of(_PAGE)
    return Costs(
        begin=large - _LARGEST / EVALUATIONS * collection,
        collection=collection,
        size=len(Account(1, EVALUATIONS).body(1)),
        item=median(costs(run, page, "aegis_async")) / pages / _PAGE,
        commits=committed,
    )


def _exported(run: Run, evaluations: int, column: str) -> float:
    return median(float(row[column]) for row in run.exports[str(evaluations)] if row["contender"] == "parquet")


def commits() -> Commits:
    """Measure commits of few and of many collections: encoded, and taken up into the state."""
    few, many = (_timed(size) for size in (_FEW, _MANY))
    mark = (many - few) / (_MANY - _FEW)
    return Commits(max(0.0, few - _FEW * mark), mark)


def _commit(collections: int) -> None:
    part = Part("evaluations/0123456789abcdef-000001.parquet", 1000 * collections, 10_000 * collections, "0" * 64)
    marks = tuple(Mark(id_, "0123456789abcdef", 1, True) for id_ in range(collections))  # noqa: FBT003 - settled
    chunk = Chunk("0123456789abcdef-000001", ("parquet",), marks, (part,) * 5, 1 << 20)
    made = Commit(number=1, current=Pass(), formats=("parquet",), created_at=datetime.now(UTC), added=(chunk,))
    State([made])
    msgspec.json.encode(made)


def _timed(collections: int) -> float:
    taken = []
    for _ in range(_ROUNDS):
        begun = time.process_time()
        _commit(collections)
        taken.append(time.process_time() - begun)
    return median(taken)
