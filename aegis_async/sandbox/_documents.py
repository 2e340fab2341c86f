"""The account's documents as bytes, each a function of seed, id and revision, its fields in the page's order.

Source: the shapes of "Get all data collections (paginated)" and "Get data collection by id".
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import msgspec

from aegis_async.sandbox import _example as example
from aegis_async.sandbox._evaluations import evaluations
from aegis_async.sandbox._plans import (
    RUNS_PER_COLLECTION,
    Plan,
    dataset_ids,
    datasets,
    plan,
    run_count,
    stamp,
)
from aegis_async.sandbox._runs import Run, runs
from aegis_async.sandbox._vocabulary import Document

_HEAD: Final = ("id", "user", "name", "org_id", "author_email")
_TIMES: Final = ("created_at", "updated_at")
_SETUP: Final = ("structure", "selected_metrics", "column_mappings", "data_collection_id")
_DATASET_SUMMARY: Final = ("id", "name", "user", "org_id", "author_email", *_TIMES)
_DATASET: Final = (*_DATASET_SUMMARY[:-2], "dataset_type_id", *_SETUP, *_TIMES)
# The page gives the same dataset in another order where it stands inside a run.
_RUN_DATASET: Final = ("id", "user", "dataset_type_id", "name", *_SETUP, "org_id", "author_email", *_TIMES)
_RUN_HEAD: Final = (
    *("id", "user", "run_type", "run_source", "api_key_id"),
    *("dataset_id", "data_collection_id", "org_id", "author_email"),
)
_RUN_TAIL: Final = ("started_at", "finished_at", "created_at", "updated_at", "is_gte_threshold")
_RUN_SUMMARY: Final = (
    *_RUN_HEAD,
    *("number_of_metrics", "threshold", "model_slug", "alias", "result", "aggregate_results"),
    *_RUN_TAIL,
)
_RUN: Final = (
    *_RUN_HEAD,
    *("dataset", "number_of_metrics", "result", "threshold", "model_slug", "alias", "aggregate_results"),
    *_RUN_TAIL,
)
_SETTLED: Final = timedelta(minutes=3)  # from the end of a run to the collection's update


@dataclass(frozen=True, slots=True)
class Record:
    """One collection at one revision: what every document about it is made from."""

    seed: int
    id: int
    revision: int

    def summary(self) -> bytes:
        """Give the collection as it stands in the listing."""
        drawn, sets, made = self._parts()
        facts = self._facts(drawn, made)
        if self._is_example():
            facts["updated_at"], made = example.LISTED_UPDATED_AT, []
        return msgspec.json.encode(
            {
                **_pick(facts, _HEAD),
                "datasets": [_pick(one, _DATASET_SUMMARY) for one in sets],
                "runs": [_pick(one.facts, _RUN_SUMMARY) for one in made],
                **_pick(facts, _TIMES),
            }
        )

    def full(self) -> Iterator[bytes]:
        """Yield the collection with its full datasets and runs, in pieces of a run at most."""
        drawn, sets, made = self._parts()
        facts = self._facts(drawn, made)
        document = {
            **_pick(facts, _HEAD),
            "datasets": [_pick(one, _DATASET) for one in sets],
            "runs": [],
            **_pick(facts, _TIMES),
        }
        return splice(document, "runs", (self._run(one) for one in made))

    def dataset_row(self, dataset_id: int) -> bytes:
        """Give one of the collection's datasets."""
        sets = datasets(self.seed, plan(self.seed, self.id))
        return msgspec.json.encode(next(_pick(one, _DATASET) for one in sets if one["id"] == dataset_id))

    def run_row(self, run_id: int) -> bytes:
        """Give one of the collection's runs as a summary."""
        return msgspec.json.encode(_pick(self._find(run_id).facts, _RUN_SUMMARY))

    def run(self, run_id: int) -> bytes:
        """Give one of the collection's runs with its evaluations."""
        return self._run(self._find(run_id))

    def dataset_ids(self) -> list[int]:
        """List the ids of the collection's datasets, without drawing them."""
        return dataset_ids(self.seed, self.id)

    def run_ids(self) -> list[int]:
        """List the ids of the collection's runs, without drawing them."""
        count = run_count(self.seed, self.id) + self.revision
        first = (self.id - 1) * RUNS_PER_COLLECTION + 1
        examples = [example.EXAMPLE_RUN_ID] if self.id == example.EXAMPLE_ID else []
        return [*examples, *range(first, first + count)]

    def _parts(self) -> tuple[Plan, list[Document], list[Run]]:
        drawn = plan(self.seed, self.id)
        sets = datasets(self.seed, drawn)
        return drawn, sets, runs(self.seed, drawn, sets, self.revision)

    def _find(self, run_id: int) -> Run:
        _, _, made = self._parts()
        return next(one for one in made if one.facts["id"] == run_id)

    def _is_example(self) -> bool:
        return self.id == example.EXAMPLE_ID and self.revision == 0

    def _facts(self, drawn: Plan, made: list[Run]) -> Document:
        if self.id == example.EXAMPLE_ID:
            name, created, updated = example.NAME, example.CREATED_AT, example.UPDATED_AT
        else:
            name = f"{drawn.subject}: {drawn.purpose} {drawn.created:%Y-%m}"
            created, updated = stamp(drawn.created), None
        if made and not self._is_example():
            updated = stamp(made[-1].started + made[-1].lasted + _SETTLED)
        return {"id": self.id, **drawn.owner, "name": name, "created_at": created, "updated_at": updated}

    def _run(self, one: Run) -> bytes:
        dataset = one.facts["dataset"]
        picked = _pick(one.facts, _RUN)
        picked["dataset"] = dataset and _pick(dataset, _RUN_DATASET)
        picked["evaluations"] = (
            [example.EVALUATION] if picked["id"] == example.EXAMPLE_RUN_ID else evaluations(self.seed, one)
        )
        return msgspec.json.encode(picked)


def splice(document: Document, field: str, rows: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a document whose one empty array is filled with encoded rows, row by row."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    head, opening, tail = text.partition(f'"{field}":[')
    yield f"{head}{opening}".encode()
    for place, row in enumerate(rows):
        yield b"," + row if place else row
    yield tail.encode()


def _pick(facts: Document, fields: Iterable[str]) -> Document:
    return {field: facts[field] for field in fields}
