"""A finished export as a source: DuckDB reads its Parquet files, one row for each run, whatever its size."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from os import PathLike
from typing import Any, Final, Self, TypeVar

import duckdb
import msgspec

from aegis_async._tasks import Closing, finish
from aegis_async.dashboard._details import EVALUATIONS_PAGE, EvaluationRow, evaluation_row
from aegis_async.dashboard._facts import CollectionFacts, RunFacts, added, cut, scores_of
from aegis_async.dashboard._snapshot import TABLES, Snapshot, snapshot_of
from aegis_async.dashboard._source import Bell, Evaluations, Found, State
from aegis_async.errors import ExportError, InvalidArgumentError, NotFoundError
from aegis_async.export._arrow import SCHEMAS
from aegis_async.models import Evaluation

__all__ = ["ExportSource"]

T = TypeVar("T")
Row = tuple[Any, ...]

_LOOK: Final = 5.0  # seconds from one look for a newer export to the next
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_READ: Final = 1_000  # rows at a time

_COLLECTIONS: Final = """
SELECT id, name, author_email, epoch_us(created_at), epoch_us(updated_at) FROM {collections}
WHERE $id IS NULL OR id = $id ORDER BY id
"""
_DATASETS: Final = """
SELECT collection_id, name FROM {datasets}
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
    FROM {evaluations}
    WHERE $id IS NULL OR collection_id = $id
    GROUP BY collection_id, run_id
)
SELECT runs.collection_id, runs.id, model_slug, alias, epoch_us(started_at), epoch_us(finished_at), result, threshold,
    CASE WHEN result IS NOT NULL THEN coalesce(is_gte_threshold, result >= threshold) END,
    aggregate_results, cost, metered, odd, evaluations, judged, reached
FROM {runs} runs LEFT JOIN sums ON sums.collection_id = runs.collection_id AND sums.run_id = runs.id
WHERE $id IS NULL OR runs.collection_id = $id
ORDER BY runs.collection_id, started_at, runs.id
"""
_FIELDS: Final = (*(name for name in Evaluation.__struct_fields__ if name not in {"evaluation_cost", "eval_metadata"}),)
_MOMENTS: Final = ("started_at", "finished_at", "created_at", "updated_at")
_SELECTED: Final = ", ".join(f"epoch_us({name})" if name in _MOMENTS else name for name in _FIELDS)
_EVALUATIONS: Final = f"""
SELECT {_SELECTED}, evaluation_cost_text FROM {{evaluations}}
WHERE collection_id = $id AND run_id = $run ORDER BY id LIMIT $limit OFFSET $offset
"""  # noqa: S608 - names of columns
_COUNT: Final = "SELECT count(*) FROM {evaluations} WHERE collection_id = $id AND run_id = $run"


class ExportSource(Closing):
    """The numbers of a finished export, for accounts too large to hold.

    Each answer is of one commit of the export: while another run is writing to the folder, of the last one that it has
    made, never of two. While this is open it looks for a newer one. Numbers are added up in one pass over the runs;
    memory does not grow with the evaluations.

    Args:
        out: The folder of an export that wrote Parquet.

    Raises:
        InvalidArgumentError: ``out`` holds no finished export with Parquet files.
    """

    def __init__(self, out: str | PathLike[str]) -> None:
        self.bell: Bell = Bell()
        self._out = out
        self._snapshot = snapshot_of(self._out)
        self._told = self._snapshot.version
        self._base = _base()
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
        report = self._snapshot.report
        return State(
            status="export",
            version=self._snapshot.version,
            age=round((datetime.now(UTC) - report.started_at).total_seconds(), 1),
            ping=None,
            problem=None if report.status == "complete" else f"The export is {report.status}: {report.reason}",
            collections=self._snapshot.collections,
            pending=0,
            cache=None,
        )

    def book(self) -> Iterable[CollectionFacts]:
        """Give every collection in numbers, read as it is iterated.

        Raises:
            ExportError: The files cannot be read. If the state has another version afterwards, a later export has
                taken them away: ask again.
        """
        return self._kept(self._snapshot)

    async def collection(self, collection_id: int) -> Found:
        """Give one collection.

        Raises:
            NotFoundError: The export has none of this id.
            ExportError: The files cannot be read.
        """
        return await asyncio.to_thread(self._whole, lambda snapshot: self._found(snapshot, collection_id))

    async def evaluations(self, collection_id: int, run_id: int, page: int) -> Evaluations:
        """Give a page of a run's evaluations.

        Raises:
            NotFoundError: The export has no such collection.
            ExportError: The files cannot be read.
        """

        def read(snapshot: Snapshot) -> Evaluations:
            found = self._found(snapshot, collection_id)
            return Evaluations(found, *self._evaluation_rows(snapshot, collection_id, run_id, page))

        return await asyncio.to_thread(self._whole, read)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            try:
                self._snapshot = await asyncio.to_thread(snapshot_of, self._out)
            except InvalidArgumentError:  # an export is under way; the last one stays as it is read
                continue
            if self._snapshot.version != self._told:
                self._told = self._snapshot.version
                self.bell.ring()

    def _whole(self, read: Callable[[Snapshot], T]) -> T:
        """Read from one snapshot alone, from a later one where an export has taken its files away meanwhile.

        Each further try needs a further commit, and an export ends.
        """
        while True:
            snapshot = self._snapshot
            try:
                return read(snapshot)
            except duckdb.IOException as error:
                complaint = self._unreadable(error)
            if not self._renewed_since(snapshot):
                raise complaint

    def _kept(self, snapshot: Snapshot) -> Iterator[CollectionFacts]:
        try:
            yield from self._facts(snapshot, None)
        except duckdb.IOException as error:
            complaint = self._unreadable(error)
        else:
            return
        self._renewed_since(snapshot)
        raise complaint

    def _renewed_since(self, before: Snapshot) -> bool:
        """Look for a later snapshot, and tell whether there is one."""
        try:
            self._snapshot = snapshot_of(self._out)
        except InvalidArgumentError:  # the folder is gone or damaged, which the error of the read says already
            return False
        return self._snapshot.version != before.version

    def _unreadable(self, error: duckdb.IOException) -> ExportError:
        return ExportError(f"{self._out} cannot be read: {error}")

    def _found(self, snapshot: Snapshot, collection_id: int) -> Found:
        facts = next(self._facts(snapshot, collection_id), None)
        if facts is None:
            raise NotFoundError(f"the export has no collection {collection_id}")
        return Found(facts, self.state().age or 0.0, stale=False)

    def _facts(self, snapshot: Snapshot, collection_id: int | None) -> Iterator[CollectionFacts]:
        # All three are sorted, so that nothing is read from the files after their first rows are here.
        collections, datasets, runs = (
            self._rows(snapshot, query, id=collection_id) for query in (_COLLECTIONS, _DATASETS, _RUNS)
        )
        return _joined(collections, _Following(datasets), _Following(runs))

    def _evaluation_rows(
        self, snapshot: Snapshot, collection_id: int, run_id: int, page: int
    ) -> tuple[list[EvaluationRow], int]:
        wanted = {"id": collection_id, "run": run_id}
        [(total,)] = self._rows(snapshot, _COUNT, **wanted)
        place = {"limit": EVALUATIONS_PAGE, "offset": (page - 1) * EVALUATIONS_PAGE}
        rows = self._rows(snapshot, _EVALUATIONS, **wanted, **place)
        return [_evaluation(row) for row in rows], total

    def _rows(self, snapshot: Snapshot, query: str, **given: int | None) -> Iterator[Row]:
        """Ask, and give the rows; a cursor of its own lets several threads ask."""
        used = {table: files for table, files in snapshot.files.items() if files and f"{{{table}}}" in query}
        tables = {table: f"read_parquet(${table})" if table in used else f"no_{table}" for table in TABLES}
        cursor = self._base.cursor()
        cursor.execute(query.format_map(tables), {**used, **given})
        return _fetched(cursor, cursor.fetchmany(_READ))


def _base() -> duckdb.DuckDBPyConnection:
    """Give a database with an empty table in the place of each that has no file yet."""
    base = duckdb.connect(":memory:")
    for table in TABLES:
        nothing = SCHEMAS[table].empty_table()
        base.register("nothing", nothing)
        base.execute(f"CREATE TABLE no_{table} AS FROM nothing")
    return base


def _fetched(cursor: duckdb.DuckDBPyConnection, rows: list[Row]) -> Iterator[Row]:
    while rows:
        yield from rows
        rows = cursor.fetchmany(_READ)
    cursor.close()


def _joined(collections: Iterator[Row], datasets: "_Following", runs: "_Following") -> Iterator[CollectionFacts]:
    for id_, name, author, created, updated in collections:
        yield CollectionFacts(
            id=id_,
            name=cut(name) or "",
            author=cut(author),
            created_at=_moment(created),
            updated_at=_moment(updated),
            datasets=tuple(cut(row[1]) or "" for row in datasets.of(id_)[:100]),
            runs=tuple(map(_run_facts, runs.of(id_))),
        )


class _Following:
    """Rows in the order of their collection, taken collection by collection."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._groups = groupby(rows, key=itemgetter(0))
        self._next: tuple[int, list[Row]] | None = None
        self._advance()

    def of(self, collection_id: int) -> list[Row]:
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


def _run_facts(row: Row) -> RunFacts:
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


def _evaluation(row: Row) -> EvaluationRow:
    *values, cost = row
    given = dict(zip(_FIELDS, values, strict=True))
    moments = {name: _moment(given[name]) for name in _MOMENTS}
    exact = None if cost is None else Decimal(cost)
    return evaluation_row(Evaluation(**{**given, **moments}, evaluation_cost=exact, eval_metadata=None))


def _moment(microseconds: Any) -> Any:
    """Give a moment from its count; DuckDB would need another package to give one with a time zone."""
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)
