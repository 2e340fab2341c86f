"""The prepared bytes: listings and collections shaped as the service's page says, one body for each path."""

from collections.abc import Iterator
from math import ceil
from types import MappingProxyType
from typing import Any, Final

import msgspec

__all__ = ["EVALUATIONS", "ITEMS", "PAGE_SIZES", "PREFIX", "bodies"]

PREFIX: Final = "/api/v1"
PAGE_SIZES: Final = (10, 100, 1000)
ITEMS: Final = 5000  # in the listing, whatever its page size
EVALUATIONS: Final = MappingProxyType({1: 1, 2: 620})  # of collection 1 (2 KB) and 2 (240 KB)

Document = dict[str, Any]

_USER: Final[Document] = {"id": 7, "email": "analyst@acme.com"}
_OWNED: Final[Document] = {"user": _USER, "org_id": None, "author_email": "analyst@acme.com"}
_MADE: Final[Document] = {"created_at": "2026-04-01T09:20:00Z", "updated_at": None}
_TIMES: Final[Document] = {"started_at": "2026-04-01T09:12:00Z", "finished_at": "2026-04-01T09:13:12Z"}


def bodies() -> dict[str, bytes]:
    """Give the body of every path that the works ask for."""
    encode = msgspec.json.encode
    pages = {path: encode(page) for size in PAGE_SIZES for path, page in _pages(size)}
    return pages | {f"{PREFIX}/data-collections/{id_}": encode(_full(id_, n)) for id_, n in EVALUATIONS.items()}


def _pages(size: int) -> Iterator[tuple[str, Document]]:
    total = ceil(ITEMS / size)
    for page in range(1, total + 1):
        items = [_summary(id_) for id_ in range((page - 1) * size + 1, min(page * size, ITEMS) + 1)]
        meta = {
            "current_page": page,
            "page_size": size,
            "total_items": ITEMS,
            "items_on_page": len(items),
            "total_pages": total,
            "has_next": page < total,
            "has_previous": page > 1,
            "next_page": page + 1 if page < total else None,
            "previous_page": page - 1 if page > 1 else None,
        }
        yield f"{PREFIX}/data-collections?page={page}&page_size={size}", {"items": items, "meta": meta}


def _summary(id_: int) -> Document:
    datasets = [{"id": id_, "name": "Support QA - March", **_OWNED, **_MADE}]
    return {"id": id_, "name": "My bundle", **_OWNED, "datasets": datasets, "runs": [_run(id_)], **_MADE}


def _full(id_: int, evaluations: int) -> Document:
    dataset = {
        "id": id_,
        "name": "Support QA - March",
        **_OWNED,
        "dataset_type_id": 1,
        "structure": ["prompt", "output", "golden_answer"],
        "selected_metrics": None,
        "column_mappings": None,
        "data_collection_id": id_,
        **_MADE,
    }
    run = {**_run(id_), "dataset": dataset, "evaluations": [_evaluation(n) for n in range(1, evaluations + 1)]}
    return {"id": id_, "name": "My bundle", **_OWNED, "datasets": [dataset], "runs": [run], **_MADE}


def _run(collection: int) -> Document:
    return {
        "id": collection + 90_000,
        **_OWNED,
        "run_type": {"id": 2, "name": "dataset", "label": "Dataset", "description": "Run from dataset"},
        "run_source": {"id": 1, "name": "api", "label": "API", "description": "Created via API"},
        "api_key_id": 12,
        "dataset_id": collection,
        "data_collection_id": collection,
        "number_of_metrics": 2,
        "result": 83.5,
        "threshold": 70,
        "model_slug": "gpt-4o",
        "alias": "support-march",
        "aggregate_results": {"ans_corr": 86, "faith": 81},
        **_TIMES,
        **_MADE,
        "is_gte_threshold": True,
    }


def _evaluation(id_: int) -> Document:
    return {
        "id": id_,
        "user_id": 7,
        "run_id": 991,
        "record_id": id_,
        "metric_id": 3,
        "dataset_id": 1,
        "result": 86.0,
        "threshold": 70,
        "explanation": "Answer matches the reference.",
        "model_slug": "gpt-4o",
        **_TIMES,
        "input_tokens": 512,
        "output_tokens": 48,
        "evaluation_cost": "0.00120",
        "is_success": True,
        "is_gte_threshold": True,
        **_MADE,
        "eval_metadata": None,
    }
