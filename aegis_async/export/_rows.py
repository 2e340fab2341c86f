"""Collections to the records of each table, side by side with the id of the collection that holds them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aegis_async.export._schema import TABLES
from aegis_async.models import DataCollection, DataCollectionHead, Dataset, Run

__all__ = ["Gathering", "Rows", "Tables", "count", "no_rows", "rows_of"]


@dataclass(slots=True)
class Rows:
    """The records of one table, in two columns of equal length.

    Attributes:
        collection_ids: The collection that holds each record.
        records: The records.
    """

    collection_ids: list[int] = field(default_factory=list)
    records: list[Any] = field(default_factory=list)

    def extend(self, collection_id: int, records: Sequence[object]) -> None:
        """Add the records of one collection."""
        self.collection_ids.extend([collection_id] * len(records))
        self.records.extend(records)


Tables: TypeAlias = Mapping[str, Rows]
"""The rows of each table by its name."""


def no_rows() -> Tables:
    """Give tables without rows."""
    return {table.name: Rows() for table in TABLES}


class Gathering:
    """Gathers the rows of one collection while its runs come, be it in many parts.

    Args:
        collection: The collection; its runs are given by themselves.
    """

    def __init__(self, collection: DataCollection | DataCollectionHead) -> None:
        self._collection = collection
        self._datasets = {dataset.id for dataset in collection.datasets}

    def begin(self, tables: Tables) -> None:
        """Add the collection's own row, and the datasets that it lists."""
        id_ = self._collection.id
        tables["collections"].extend(id_, (self._collection,))
        tables["datasets"].extend(id_, self._collection.datasets)

    def add(self, tables: Tables, runs: Sequence[Run]) -> None:
        """Add runs with the evaluations that they hold, and datasets that no one has shown before."""
        id_ = self._collection.id
        tables["datasets"].extend(id_, tuple(self._nested(runs)))
        tables["runs"].extend(id_, runs)
        self.go_on(tables, runs)

    def go_on(self, tables: Tables, runs: Sequence[Run]) -> None:
        """Add more evaluations of runs that are there already."""
        for run in runs:
            tables["evaluations"].extend(self._collection.id, run.evaluations)

    def _nested(self, runs: Sequence[Run]) -> Iterator[Dataset]:
        for run in runs:
            if run.dataset is not None and run.dataset.id not in self._datasets:
                self._datasets.add(run.dataset.id)
                yield run.dataset


def rows_of(collections: Iterable[DataCollection]) -> Tables:
    """Give the rows of whole collections."""
    tables = no_rows()
    for collection in collections:
        gathering = Gathering(collection)
        gathering.begin(tables)
        gathering.add(tables, collection.runs)
    return tables


def count(collection: DataCollection) -> int:
    """Give the number of rows that a collection makes in all tables together."""
    return sum(len(rows.records) for rows in rows_of((collection,)).values())
