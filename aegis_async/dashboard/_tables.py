"""The tables of an export at one commit, asked with DuckDB: its rows become facts, one for each run."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import duckdb
import msgspec

from aegis_async.dashboard._details import EVALUATIONS_PAGE, EvaluationRow, evaluation_row
from aegis_async.dashboard._facts import MOST_DATASETS, CollectionFacts, RunFacts, added, cut, scores_of
from aegis_async.dashboard._snapshot import TABLES, Snapshot
from aegis_async.export._arrow import SCHEMAS
from aegis_async.models import Evaluation

__all__ = ["Tables"]

Row = tuple[Any, ...]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_AT_A_TIME: Final = 1_000  # rows
# Else DuckDB takes a folder above the export, as run_id=7, for a column, and its name for the value of every row.
_READ: Final = "read_parquet(${}, hive_partitioning = false)"

_COLLECTIONS: Final = """
SELECT id, name, author_email, epoch_us(created_at), epoch_us(updated_at) FROM {collections}
WHERE $id IS NULL OR id = $id ORDER BY id
"""
_DATASETS: Final = """
SELECT collection_id, name FROM {datasets}
WHERE $id IS NULL OR collection_id = $id ORDER BY collection_id, id
"""
# A cost that no DECIMAL holds exactly is null there, and its digits stand in the text beside it. What no cost can be
# (`usable`) is not counted, and could not be added.
_RUNS: Final = """
WITH sums AS (
    SELECT collection_id, run_id,
        coalesce(sum(evaluation_cost) FILTER (abs(evaluation_cost) < 10000000000000000), 0) AS cost,
        count(*) FILTER (abs(evaluation_cost) < 10000000000000000) AS metered,
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


class Tables:
    """Questions to the files of a snapshot; several threads may ask at the same time."""

    def __init__(self) -> None:
        self._base = _base()

    def close(self) -> None:
        """Close the files."""
        self._base.close()

    def facts(self, snapshot: Snapshot, collection_id: int | None = None) -> Iterator[CollectionFacts]:
        """Give every collection in numbers, or the one of this id, read as it is iterated.

        Raises:
            duckdb.Error: A file cannot be read.
        """
        # All three are sorted, so that nothing is read from the files after their first rows are here.
        collections, datasets, runs = (
            self._rows(snapshot, query, id=collection_id) for query in (_COLLECTIONS, _DATASETS, _RUNS)
        )
        return _joined(collections, _Following(datasets), _Following(runs))

    def evaluations(
        self, snapshot: Snapshot, collection_id: int, run_id: int, page: int
    ) -> tuple[list[EvaluationRow], int]:
        """Give a page of a run's evaluations, and how many the run has.

        Raises:
            duckdb.Error: A file cannot be read.
        """
        wanted = {"id": collection_id, "run": run_id}
        [(total,)] = self._rows(snapshot, _COUNT, **wanted)
        place = {"limit": EVALUATIONS_PAGE, "offset": (page - 1) * EVALUATIONS_PAGE}
        rows = self._rows(snapshot, _EVALUATIONS, **wanted, **place)
        return [_evaluation(row) for row in rows], total

    def _rows(self, snapshot: Snapshot, query: str, **given: int | None) -> Iterator[Row]:
        """Ask, and give the rows; a cursor of its own lets several threads ask."""
        used = {table: files for table, files in snapshot.files.items() if files and f"{{{table}}}" in query}
        tables = {table: _READ.format(table) if table in used else f"no_{table}" for table in TABLES}
        cursor = self._base.cursor()
        cursor.execute(query.format_map(tables), {**used, **given})
        return _fetched(cursor, cursor.fetchmany(_AT_A_TIME))


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
        rows = cursor.fetchmany(_AT_A_TIME)
    cursor.close()


def _joined(collections: Iterator[Row], datasets: "_Following", runs: "_Following") -> Iterator[CollectionFacts]:
    for id_, name, author, created, updated in collections:
        yield CollectionFacts(
            id=id_,
            name=cut(name) or "",
            author=cut(author),
            created_at=_moment(created),
            updated_at=_moment(updated),
            datasets=tuple(cut(row[1]) or "" for row in datasets.of(id_)[:MOST_DATASETS]),
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
    if microseconds is None:
        return None
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:  # a time zone may lead out of the calendar, of which this is then the one end or the other
        return _FIRST if microseconds < 0 else _LAST
