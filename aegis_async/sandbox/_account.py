"""Which collections exist, in what order, and how the listing moves while somebody pages through it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import RLock
from types import MappingProxyType
from typing import Final, NamedTuple

from aegis_async.sandbox import _example as example
from aegis_async.sandbox._documents import Record
from aegis_async.sandbox._plans import DATASETS_PER_COLLECTION, RUNS_PER_COLLECTION, is_shared

_REMEMBERED: Final = 1_024  # summaries, so that a listing read twice is drawn once; about 4 MB


class Cut(NamedTuple):
    """One page as it was at one moment: its rows, drawn when they are sent, and how many there are in all."""

    rows: Iterator[bytes]
    on_page: int
    total: int


@dataclass(frozen=True, slots=True)
class Drift:
    """What happens to the account right after a page of its listing was read."""

    after_page: int
    add: int
    add_first: int
    delete: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of row that can be listed: which a collection has, which collection has it, how it reads."""

    keys: Callable[[Record], list[int]]
    collection: Callable[[int], int]
    row: Callable[[Record, int], bytes]


def _collection_of_dataset(dataset_id: int) -> int:
    known = dataset_id == example.EXAMPLE_DATASET_ID
    return example.EXAMPLE_ID if known else dataset_id // DATASETS_PER_COLLECTION


def _collection_of_run(run_id: int) -> int:
    known = run_id == example.EXAMPLE_RUN_ID
    return example.EXAMPLE_ID if known else (run_id - 1) // RUNS_PER_COLLECTION + 1


COLLECTIONS: Final = "data-collections"
KINDS: Final = MappingProxyType(
    {
        COLLECTIONS: Kind(lambda record: [record.id], lambda key: key, lambda record, _: record.summary()),
        "datasets": Kind(Record.dataset_ids, _collection_of_dataset, Record.dataset_row),
        "runs": Kind(Record.run_ids, _collection_of_run, Record.run_row),
    }
)


class Account:
    """A seeded account; every method may be called from any thread."""

    def __init__(self, collections: int, seed: int) -> None:
        self._seed = seed
        self._ids: Sequence[int] = range(1, collections + 1)  # a list only once something moved
        self._newest = collections
        self._deleted: set[int] = set()
        self._revisions: dict[int, int] = {}
        self._views: dict[tuple[str, bool | None], Sequence[int]] = {}
        self._drifts: list[Drift] = []
        self._lock = RLock()
        self._row = lru_cache(_REMEMBERED)(lambda kind, record, key: KINDS[kind].row(record, key))

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, *, first: bool = False) -> int:
        """Add a collection at the listing's end or head, and give its id."""
        with self._lock:
            self._newest += 1
            self._ids = [self._newest, *self._ids] if first else [*self._ids, self._newest]
            self._views.clear()
            return self._newest

    def change(self, collection_id: int) -> None:
        """Add a run to a collection and end the one under way."""
        with self._lock:
            self._check(collection_id)
            self._revisions[collection_id] = self._revisions.get(collection_id, 0) + 1
            self._views.clear()

    def delete(self, collection_id: int) -> None:
        """Take a collection away, with its datasets and runs."""
        with self._lock:
            self._check(collection_id)
            self._deleted.add(collection_id)
            self._ids = [one for one in self._ids if one != collection_id]
            self._views.clear()

    def script(self, drift: Drift) -> None:
        """Let the listing move once, right after a page was read."""
        with self._lock:
            for collection_id in drift.delete:
                self._check(collection_id)
            self._drifts.append(drift)

    def forget_drifts(self) -> None:
        """Forget what has been scripted and not happened."""
        with self._lock:
            self._drifts.clear()

    def collection(self, collection_id: int, shared: bool | None) -> Record | None:  # noqa: FBT001 - three states
        """Give a collection, or None if it is not there or not in this view."""
        with self._lock:
            if not self._exists(collection_id) or shared not in {None, is_shared(collection_id)}:
                return None
            return self._record(collection_id)

    def run(self, run_id: int, shared: bool | None) -> bytes | None:  # noqa: FBT001 - three states
        """Give one run with its evaluations, or None if it is not there or not in this view."""
        record = self.collection(KINDS["runs"].collection(run_id), shared)
        return record.run(run_id) if record and run_id in record.run_ids() else None

    def cut(self, kind: str, shared: bool | None, page: int, page_size: int) -> Cut:  # noqa: FBT001 - three states
        """Cut one page, then let the drifts scripted for it happen."""
        with self._lock:
            keys = self._view(kind, shared)
            start = (page - 1) * page_size
            owned = [(self._record(KINDS[kind].collection(key)), key) for key in keys[start : start + page_size]]
            if kind == COLLECTIONS:
                self._drift(page)
        rows = (self._row(kind, record, key) for record, key in owned)
        return Cut(rows, len(owned), len(keys))

    def _drift(self, page: int) -> None:
        due = [drift for drift in self._drifts if drift.after_page == page]
        self._drifts = [drift for drift in self._drifts if drift.after_page != page]
        for drift in due:
            for collection_id in drift.delete:
                if self._exists(collection_id):
                    self.delete(collection_id)
            for first in (True,) * drift.add_first + (False,) * drift.add:
                self.add(first=first)

    def _view(self, kind: str, shared: bool | None) -> Sequence[int]:  # noqa: FBT001 - three states
        if (kind, shared) == (COLLECTIONS, None):
            return self._ids
        if (kind, shared) not in self._views:
            ids = (one for one in self._ids if shared in {None, is_shared(one)})
            keys = KINDS[kind].keys
            self._views[kind, shared] = [key for one in ids for key in keys(self._record(one))]
        return self._views[kind, shared]

    def _record(self, collection_id: int) -> Record:
        return Record(self._seed, collection_id, self._revisions.get(collection_id, 0))

    def _exists(self, collection_id: int) -> bool:
        return 1 <= collection_id <= self._newest and collection_id not in self._deleted

    def _check(self, collection_id: int) -> None:
        if not self._exists(collection_id):
            raise LookupError(f"the sandbox has no collection {collection_id}")
