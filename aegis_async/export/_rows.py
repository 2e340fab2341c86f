"""Collections to the records of each table, side by side with the id of the collection that holds them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from aegis_async.models import DataCollection, Dataset

__all__ = ["Rows", "count", "rows_of"]


@dataclass(slots=True)
class Rows:
    """The records of one table, in two columns of equal length.

    Attributes:
        collection_ids: The collection that holds each record.
        records: The records.
    """

    collection_ids: list[int] = field(default_factory=list)
    records: list[Any] = field(default_factory=list)

    def extend(self, collection_id: int, records: Sequence[Any]) -> None:
        """Add the records of one collection."""
        self.collection_ids.extend([collection_id] * len(records))
        self.records.extend(records)


def rows_of(collections: Iterable[DataCollection]) -> dict[str, Rows]:
    """Give the rows of each table by its name."""
    rows = {name: Rows() for name in ("collections", "datasets", "runs", "evaluations")}
    for collection in collections:
        rows["collections"].extend(collection.id, (collection,))
        rows["datasets"].extend(collection.id, tuple(_datasets(collection)))
        rows["runs"].extend(collection.id, collection.runs)
        for run in collection.runs:
            rows["evaluations"].extend(collection.id, run.evaluations)
    return rows


def _datasets(collection: DataCollection) -> Iterator[Dataset]:
    """Yield what the collection lists, then what only its runs nest, each of these once."""
    yield from collection.datasets
    known = {dataset.id for dataset in collection.datasets}
    for run in collection.runs:
        if run.dataset is not None and run.dataset.id not in known:
            known.add(run.dataset.id)
            yield run.dataset


def count(collection: DataCollection) -> int:
    """Give the number of rows that a collection makes in all tables together."""
    evaluations = sum(len(run.evaluations) for run in collection.runs)
    return 1 + sum(1 for _ in _datasets(collection)) + len(collection.runs) + evaluations
