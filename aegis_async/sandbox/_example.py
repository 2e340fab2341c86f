"""Collection 14 as the service's page shows it, word for word.

Source: "Example response (200)" of both endpoints. The page's listing shows the collection before its run was
added, so the two differ in ``runs`` and ``updated_at``; the sandbox keeps both as they are.
"""

from typing import Final

from aegis_async.sandbox._vocabulary import OWNER, RUN_SOURCES, RUN_TYPES, Document

EXAMPLE_ID: Final = 14
EXAMPLE_DATASET_ID: Final = 1
EXAMPLE_RUN_ID: Final = 991

_EMAIL: Final = OWNER["email"]
NAME: Final = "My bundle"
CREATED_AT: Final = "2026-04-01T09:20:00Z"
UPDATED_AT: Final = "2026-04-01T09:25:00Z"
LISTED_UPDATED_AT: Final = CREATED_AT  # in the listing
_STRUCTURE: Final = ["prompt", "output", "golden_answer"]

DATASET: Final[Document] = {
    "id": EXAMPLE_DATASET_ID,
    "name": "Support QA - March",
    "user": OWNER,
    "org_id": None,
    "author_email": _EMAIL,
    "dataset_type_id": 1,
    "structure": _STRUCTURE,
    "selected_metrics": None,
    "column_mappings": None,
    "data_collection_id": EXAMPLE_ID,
    "created_at": "2026-03-30T10:00:00Z",
    "updated_at": None,
}
EVALUATION: Final[Document] = {
    "id": 5001,
    "user_id": 7,
    "run_id": EXAMPLE_RUN_ID,
    "record_id": 100,
    "metric_id": 3,
    "dataset_id": EXAMPLE_DATASET_ID,
    "result": 86.0,
    "threshold": 70,
    "explanation": None,
    "model_slug": "gpt-4o",
    "started_at": "2026-04-01T09:12:05Z",
    "finished_at": "2026-04-01T09:12:10Z",
    "input_tokens": None,
    "output_tokens": None,
    "evaluation_cost": None,
    "is_success": True,
    "is_gte_threshold": True,
    "created_at": "2026-04-01T09:12:10Z",
    "updated_at": None,
    "eval_metadata": None,
}
RUN: Final[Document] = {
    "id": EXAMPLE_RUN_ID,
    "user": OWNER,
    "run_type": RUN_TYPES[1],
    "run_source": RUN_SOURCES[0],
    "api_key_id": 12,
    "dataset_id": EXAMPLE_DATASET_ID,
    "data_collection_id": EXAMPLE_ID,
    "org_id": None,
    "author_email": _EMAIL,
    "dataset": DATASET,
    "number_of_metrics": 2,
    "result": 83.5,
    "threshold": 70,
    "model_slug": "gpt-4o",
    "alias": "support-march",
    "aggregate_results": {"ans_corr": 86, "faith": 81},
    "started_at": "2026-04-01T09:12:00Z",
    "finished_at": "2026-04-01T09:13:12Z",
    "created_at": "2026-04-01T09:12:00Z",
    "updated_at": None,
    "is_gte_threshold": True,
}
