"""Collections to export, made from the page's own shapes."""

from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from typing import Any

import msgspec
import pytest

from aegis_async import AegisClient, RetryPolicy
from aegis_async._decode import BodyDecoder
from aegis_async.models import DataCollection
from aegis_async.sandbox import Sandbox
from tests.export.postgres import cluster, psql

Document = dict[str, Any]
_numbers = count(1)
_USER = {"id": 7, "email": "analyst@acme.com"}
_MADE = {"created_at": "2026-04-01T09:20:00Z", "updated_at": None}
_STARTED = {"started_at": "2026-04-01T09:12:00Z", "finished_at": "2026-04-01T09:13:12.5Z"}
_OWNED = {"user": _USER, "org_id": None, "author_email": "analyst@acme.com"}


def _evaluation(id_: int, run_id: int) -> Document:
    return {
        "id": id_,
        "user_id": 7,
        "run_id": run_id,
        "record_id": 100,
        "metric_id": 3,
        "dataset_id": 1,
        "result": 86.0,
        "threshold": 70,
        "explanation": "Grundsätzlich richtig ✓",
        "model_slug": "gpt-4o",
        **_STARTED,
        "input_tokens": 512,
        "output_tokens": None,
        "evaluation_cost": "0.00120",
        "is_success": True,
        "is_gte_threshold": None,
        **_MADE,
        "eval_metadata": {"judge": {"temperature": 0.5}},
    }


def _dataset(id_: int) -> Document:
    return {
        "id": id_,
        "name": "Support QA",
        **_OWNED,
        "dataset_type_id": 1,
        "structure": ["prompt", "output"],
        "selected_metrics": {"1": 70},
        "column_mappings": None,
        "data_collection_id": 14,
        **_MADE,
    }


def _lookup(id_: int, name: str) -> Document:
    return {"id": id_, "name": name, "label": name.title(), "description": f"By {name}"}


def _run(id_: int, evaluations: int) -> Document:
    return {
        "id": id_,
        **_OWNED,
        "run_type": _lookup(2, "dataset"),
        "run_source": _lookup(1, "api"),
        "api_key_id": 12,
        "dataset_id": 1,
        "data_collection_id": 14,
        "dataset": _dataset(1),
        "number_of_metrics": 2,
        "result": 83.5,
        "threshold": 70,
        "model_slug": "gpt-4o",
        "alias": None,
        "aggregate_results": {"ans_corr": 86},
        **_STARTED,
        **_MADE,
        "is_gte_threshold": True,
        "evaluations": [_evaluation(5_000 + n, id_) for n in range(evaluations)],
    }


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A small account."""
    async with Sandbox(collections=6) as server:
        yield server


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[AegisClient]:
    """A client that tries twice, at once."""
    at_once = RetryPolicy(max_attempts=2, initial=0.0, maximum=0.0)
    async with AegisClient(sandbox.api_key, base_url=sandbox.url, retry=at_once) as client:
        yield client


@pytest.fixture
def document() -> Callable[..., Document]:
    """Give the maker of a full collection with one dataset and one run; keywords replace what they name."""

    def make(id_: int = 14, *, evaluations: int = 2, **changes: object) -> Document:
        collection = {"id": id_, **_OWNED, "name": "My bundle", **_MADE}
        nested = {"datasets": [_dataset(1)], "runs": [_run(991, evaluations)]}
        return {**collection, **nested, **changes}

    return make


@pytest.fixture
def run_document() -> Callable[[int, int], Document]:
    return _run


@pytest.fixture
def dataset_document() -> Callable[[int], Document]:
    return _dataset


@pytest.fixture
def decoded() -> Callable[[Document], DataCollection]:
    """Give the way from a document to its Struct, through JSON."""
    decode = BodyDecoder(DataCollection)
    return lambda document: decode(msgspec.json.encode(document))


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[str]:
    with cluster() as address:
        yield address


@pytest.fixture
def postgres(postgres_cluster: str) -> Callable[[], str]:
    """Give the maker of empty databases, which gives their addresses."""

    def make() -> str:
        name = f"export_{next(_numbers)}"
        psql(f"{postgres_cluster}/postgres", f"CREATE DATABASE {name}")
        return f"{postgres_cluster}/{name}"

    return make
