"""Collections to export, made from the page's own shapes."""

from typing import Any

__all__ = ["Document", "collection", "dataset", "evaluation", "run"]

Document = dict[str, Any]
_USER = {"id": 7, "email": "analyst@acme.com"}
_MADE = {"created_at": "2026-04-01T09:20:00Z", "updated_at": None}
_STARTED = {"started_at": "2026-04-01T09:12:00Z", "finished_at": "2026-04-01T09:13:12.5Z"}
_OWNED = {"user": _USER, "org_id": None, "author_email": "analyst@acme.com"}


def evaluation(id_: int, run_id: int) -> Document:
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


def dataset(id_: int) -> Document:
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


def run(id_: int, evaluations: int) -> Document:
    return {
        "id": id_,
        **_OWNED,
        "run_type": _lookup(2, "dataset"),
        "run_source": _lookup(1, "api"),
        "api_key_id": 12,
        "dataset_id": 1,
        "data_collection_id": 14,
        "dataset": dataset(1),
        "number_of_metrics": 2,
        "result": 83.5,
        "threshold": 70,
        "model_slug": "gpt-4o",
        "alias": None,
        "aggregate_results": {"ans_corr": 86},
        **_STARTED,
        **_MADE,
        "is_gte_threshold": True,
        "evaluations": [evaluation(5_000 + n, id_) for n in range(evaluations)],
    }


def collection(id_: int = 14, *, evaluations: int = 2, **changes: object) -> Document:
    """Give a full collection with one dataset and one run; keywords replace what they name."""
    own = {"id": id_, **_OWNED, "name": "My bundle", **_MADE}
    nested = {"datasets": [dataset(1)], "runs": [run(991, evaluations)]}
    return {**own, **nested, **changes}
