"""Counts and sums that add up: each run into the cell of its day and model, cells into any larger span."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date
from decimal import Decimal
from typing import TypeAlias

from aegis_async.dashboard._facts import CollectionFacts, RunFacts, added

__all__ = ["Cells", "Cube", "Tally", "day_of", "tallied"]


class Tally:
    """Counts and sums over some runs; adding two tallies is the tally of all their runs."""

    __slots__ = (
        "cost",
        "evaluations",
        "judged",
        "judged_evaluations",
        "metered",
        "passed",
        "reached_evaluations",
        "runs",
        "scores",
        "seconds",
        "timed",
        "unfinished",
    )

    def __init__(self) -> None:
        self.runs = self.judged = self.passed = self.unfinished = 0
        self.evaluations = self.judged_evaluations = self.reached_evaluations = self.metered = 0
        self.cost = Decimal(0)
        self.seconds, self.timed = 0.0, 0
        self.scores: dict[str, tuple[float, int]] = {}  # metric to sum and count

    def add(self, run: RunFacts) -> None:
        """Count one run."""
        self.runs += 1
        self.judged += run.passed is not None
        self.passed += run.passed is True
        self.unfinished += run.finished_at is None
        self.evaluations += run.evaluations
        self.judged_evaluations += run.judged
        self.reached_evaluations += run.reached
        self.metered += run.metered
        self.cost = added((self.cost, run.cost)).total
        if run.seconds is not None:
            self.seconds += run.seconds
            self.timed += 1
        for metric, score in run.scores.items():
            total, count = self.scores.get(metric, (0.0, 0))
            self.scores[metric] = (total + score, count + 1)

    def merge(self, other: "Tally") -> None:
        """Count what ``other`` counted."""
        self.runs += other.runs
        self.judged += other.judged
        self.passed += other.passed
        self.unfinished += other.unfinished
        self.evaluations += other.evaluations
        self.judged_evaluations += other.judged_evaluations
        self.reached_evaluations += other.reached_evaluations
        self.metered += other.metered
        self.cost = added((self.cost, other.cost)).total
        self.seconds += other.seconds
        self.timed += other.timed
        for metric, (total, count) in other.scores.items():
            before, counted = self.scores.get(metric, (0.0, 0))
            self.scores[metric] = (before + total, counted + count)


Cells: TypeAlias = dict[tuple[date, str | None], Tally]


class Cube:
    """All runs of an account, tallied by day and model; as large as there are days with runs, times their models.

    Attributes:
        cells: Day and model to tally.
        collections: How many collections there are, those without runs among them.
    """

    def __init__(self, cells: Cells, collections: int) -> None:
        self.cells = cells
        self.collections = collections

    def last(self, today: date) -> date | None:
        """Give the last day with a run, today at the latest, unless all runs are later; None without runs."""
        days = {day for day, _ in self.cells}
        return max((day for day in days if day <= today), default=max(days, default=None))


def tallied(book: Iterable[CollectionFacts]) -> Cube:
    """Tally every run of every collection, each read once."""
    cells: Cells = defaultdict(Tally)
    collections = 0
    for collection in book:
        collections += 1
        for run in collection.runs:
            cells[day_of(run), run.model].add(run)
    return Cube(dict(cells), collections)


def day_of(run: RunFacts) -> date:
    """Give the day for which a run counts: that of its start, in UTC."""
    try:
        return run.started_at.astimezone(UTC).date()
    except OverflowError:  # a time zone may lead out of the calendar, of which this is then the first or the last day
        return run.started_at.date()
