"""A finished export as a source: DuckDB reads its Parquet files, one row for each run, whatever its size."""

import asyncio
import glob
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from os import PathLike
from pathlib import Path
from typing import Any, Final, Self

import duckdb
import msgspec

from aegis_async._tasks import Closing, finish
from aegis_async.dashboard._details import EVALUATIONS_PAGE, EvaluationRow, evaluation_row
from aegis_async.dashboard._facts import CollectionFacts, RunFacts, added, cut, scores_of
from aegis_async.dashboard._source import Bell, Evaluations, Found, State
from aegis_async.errors import ExportError, InvalidArgumentError, NotFoundError
from aegis_async.export import ExportReport, read_report
from aegis_async.models import Evaluation

__all__ = ["ExportSource"]

_LOOK: Final = 5.0  # seconds from one look for a newer export to the next
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_READ: Final = 1_000  # rows at a time

_COLLECTIONS: Final = """
SELECT id, name, author_email, epoch_us(created_at), epoch_us(updated_at) FROM read_parquet($collections)
WHERE $id IS NULL OR id = $id ORDER BY id
"""
_DATASETS: Final = """
SELECT collection_id, name FROM read_parquet($datasets)
WHERE $id IS NULL OR collection_id = $id ORDER BY collection_id, id
"""
# A cost that no DECIMAL holds exactly is null there, and its digits stand in the text beside it.
_RUNS: Final = """
WITH sums AS (
    SELECT collection_id, run_id,
        coalesce(sum(evaluation_cost), 0) AS cost, count(evaluation_cost) AS metered,
        list(evaluation_cost_text) FILTER (evaluation_cost IS NULL AND evaluation_cost_text IS NOT NULL) AS odd,
        count(*) AS evaluations, count(result) AS judged,
        count(*) FILTER (result IS NOT NULL AND coalesce(is_gte_threshold, result >= threshold)) AS reached
    FROM read_parquet($evaluations)
    WHERE $id IS NULL OR collection_id = $id
    GROUP BY collection_id, run_id
)
SELECT runs.collection_id, runs.id, model_slug, alias, epoch_us(started_at), epoch_us(finished_at), result, threshold,
    CASE WHEN result IS NOT NULL THEN coalesce(is_gte_threshold, result >= threshold) END,
    aggregate_results, cost, metered, odd, evaluations, judged, reached
FROM read_parquet($runs) runs LEFT JOIN sums ON sums.collection_id = runs.collection_id AND sums.run_id = runs.id
WHERE $id IS NULL OR runs.collection_id = $id
ORDER BY runs.collection_id, started_at, runs.id
"""
_FIELDS: Final = (*(name for name in Evaluation.__struct_fields__ if name not in {"evaluation_cost", "eval_metadata"}),)
_MOMENTS: Final = ("started_at", "finished_at", "created_at", "updated_at")
_SELECTED: Final = ", ".join(f"epoch_us({name})" if name in _MOMENTS else name for name in _FIELDS)
_EVALUATIONS: Final = f"""
SELECT {_SELECTED}, evaluation_cost_text FROM read_parquet($evaluations)
WHERE collection_id = $id AND run_id = $run ORDER BY id LIMIT $limit OFFSET $offset
"""  # noqa: S608 - names of columns
_COUNT: Final = "SELECT count(*) FROM read_parquet($evaluations) WHERE collection_id = $id AND run_id = $run"
_TABLES: Final = ("collections", "datasets", "runs", "evaluations")


class ExportSource(Closing):
    """The numbers of a finished export, for accounts too large to hold.

    While it is open it sees when a newer export was finished in the same folder. Numbers are added up in one pass over
    the runs; memory does not grow with the evaluations.

    Args:
        out: The folder of an export that wrote Parquet.

    Raises:
        InvalidArgumentError: ``out`` holds no finished export with Parquet files.
    """

    def __init__(self, out: str | PathLike[str]) -> None:
        self.bell: Bell = Bell()
        self._out = Path(out)
        self._files = {table: f"{glob.escape(str(self._out / table))}/*.parquet" for table in _TABLES}
        self._report = _report(self._out)
        self._base = duckdb.connect(":memory:")
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks.append(asyncio.create_task(self._follow()))
        return self

    async def aclose(self) -> None:
        """End every stream of events and close the files."""
        self.bell.silence()
        tasks, self._tasks = self._tasks, []
        await finish(*tasks)
        self.close()

    def close(self) -> None:
        """Close the files, where no loop runs."""
        self._base.close()

    def state(self) -> State:
        """Give which export this is, and how old."""
        report = self._report
        return State(
            status="export",
            version=f"export-{report.commit}",
            age=round((datetime.now(UTC) - report.started_at).total_seconds(), 1),
            ping=None,
            problem=None if report.status == "complete" else f"The export is {report.status}: {report.reason}",
            collections=report.rows.get("collections", 0),
            pending=0,
            cache=None,
        )

    def book(self) -> Iterable[CollectionFacts]:
        """Give every collection in numbers, read as it is iterated."""
        return self._facts(None)

    async def collection(self, collection_id: int) -> Found:
        """Give one collection.

        Raises:
            NotFoundError: The export has none of this id.
        """
        return await asyncio.to_thread(self._found, collection_id)

    async def evaluations(self, collection_id: int, run_id: int, page: int) -> Evaluations:
        """Give a page of a run's evaluations.

        Raises:
            NotFoundError: The export has no such collection.
        """
        found = await asyncio.to_thread(self._found, collection_id)
        rows, total = await asyncio.to_thread(self._evaluation_rows, collection_id, run_id, page)
        return Evaluations(found, rows, total)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            try:
                report = await asyncio.to_thread(_report, self._out)
            except (ExportError, InvalidArgumentError):  # an export is under way; the last one stays as it is read
                continue
            if report.commit != self._report.commit:
                self._report = report
                self.bell.ring()

    def _found(self, collection_id: int) -> Found:
        facts = next(self._facts(collection_id), None)
        if facts is None:
            raise NotFoundError(f"the export has no collection {collection_id}")
        return Found(facts, self.state().age or 0.0, stale=False)

    def _facts(self, collection_id: int | None) -> Iterator[CollectionFacts]:
        datasets = _Following(self._rows(_DATASETS, ("datasets",), id=collection_id))
        runs = _Following(self._rows(_RUNS, ("runs", "evaluations"), id=collection_id))
        for id_, name, author, created, updated in self._rows(_COLLECTIONS, ("collections",), id=collection_id):
            yield CollectionFacts(
                id=id_,
                name=cut(name) or "",
                author=cut(author),
                created_at=_moment(created),
                updated_at=_moment(updated),
                datasets=tuple(cut(row[1]) or "" for row in datasets.of(id_)[:100]),
                runs=tuple(map(_run_facts, runs.of(id_))),
            )

    def _evaluation_rows(self, collection_id: int, run_id: int, page: int) -> tuple[list[EvaluationRow], int]:
        wanted = {"id": collection_id, "run": run_id}
        [(total,)] = self._rows(_COUNT, ("evaluations",), **wanted)
        place = {"limit": EVALUATIONS_PAGE, "offset": (page - 1) * EVALUATIONS_PAGE}
        rows = self._rows(_EVALUATIONS, ("evaluations",), **wanted, **place)
        return [_evaluation(row) for row in rows], total

    def _rows(self, query: str, tables: tuple[str, ...], **given: int | None) -> Iterator[tuple[Any, ...]]:
        """Give the rows of a query; a cursor of its own lets several threads ask."""
        cursor = self._base.cursor()
        try:
            cursor.execute(query, {**{table: self._files[table] for table in tables}, **given})
            while rows := cursor.fetchmany(_READ):
                yield from rows
        finally:
            cursor.close()


class _Following:
    """Rows in the order of their collection, taken collection by collection."""

    def __init__(self, rows: Iterator[tuple[Any, ...]]) -> None:
        self._groups = groupby(rows, key=itemgetter(0))
        self._next: tuple[int, list[tuple[Any, ...]]] | None = None
        self._advance()

    def of(self, collection_id: int) -> list[tuple[Any, ...]]:
        """Give the rows of a collection; ask for them in ascending order."""
        while self._next is not None and self._next[0] < collection_id:
            self._advance()
        if self._next is None or self._next[0] != collection_id:
            return []
        rows = self._next[1]
        self._advance()
        return rows

    def _advance(self) -> None:
        group = next(self._groups, None)
        self._next = None if group is None else (group[0], list(group[1]))


def _report(out: Path) -> ExportReport:
    try:
        report = read_report(out)
    except ExportError as error:
        complaint = str(error)
    else:
        if any((out / "collections").glob("*.parquet")) or "parquet" in report.formats:
            return report
        complaint = f"{out} holds no Parquet files"
    raise InvalidArgumentError(f"out must be the folder of a finished export: {complaint}")


def _run_facts(row: tuple[Any, ...]) -> RunFacts:
    (_, id_, model, alias, started, finished, result, threshold, passed, scores, cost, metered, odd, *counts) = row
    evaluations, judged, reached = (count or 0 for count in counts)
    beside = added(Decimal(text) for text in odd or ())
    return RunFacts(
        id=id_,
        model=cut(model),
        alias=cut(alias),
        started_at=_moment(started),
        finished_at=_moment(finished),
        result=result,
        threshold=threshold,
        passed=passed,
        scores=scores_of(msgspec.json.decode(scores)) if scores else {},
        cost=added((cost or Decimal(0), beside.total)).total,
        metered=(metered or 0) + beside.metered,
        evaluations=evaluations,
        judged=judged,
        reached=reached,
    )


def _evaluation(row: tuple[Any, ...]) -> EvaluationRow:
    *values, cost = row
    given = dict(zip(_FIELDS, values, strict=True))
    moments = {name: _moment(given[name]) for name in _MOMENTS}
    exact = None if cost is None else Decimal(cost)
    return evaluation_row(Evaluation(**{**given, **moments}, evaluation_cost=exact, eval_metadata=None))


def _moment(microseconds: Any) -> Any:
    """Give a moment from its count; DuckDB would need another package to give one with a time zone."""
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)
