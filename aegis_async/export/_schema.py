"""The tables of an export: every column, its type, and where its value comes from.

One schema for every format. What the service adds later and the models do not know stays in the raw bodies. A
change here that a reader could notice is a new `SCHEMA_VERSION`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from aegis_async import models

__all__ = ["COLLECTION_ID", "ELSEWHERE", "SCHEMA_VERSION", "TABLES", "Column", "Kind", "Table"]

SCHEMA_VERSION: Final = 1

Kind: TypeAlias = Literal["int64", "float64", "text", "bool", "timestamp", "decimal", "decimal_text", "json"]
"""``timestamp`` is UTC in microseconds, ``decimal`` has 38 digits, 18 of them after the point."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        name: Its name in every format.
        kind: Its type.
        nullable: Whether a row may have none.
        field: The field of a record that holds its value.
        part: What it is of the object in that field, which may be null; empty where it is the field's own value.
    """

    name: str
    kind: Kind
    nullable: bool
    field: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: a row for each record of a collection.

    Attributes:
        name: Its name, which is also its folder.
        record: The Struct that a row is made from.
        key: The columns that together name a row.
        columns: Its columns in order; the first is the collection's id.
    """

    name: str
    record: type
    key: tuple[str, ...]
    columns: tuple[Column, ...]


def _plain(kind: Kind, name: str, *, nullable: bool = False) -> Column:
    return Column(name, kind, nullable, name)


def _optional(kind: Kind, name: str) -> Column:
    return _plain(kind, name, nullable=True)


def _inside(kind: Kind, field: str, part: str) -> Column:
    """Give the column of a value inside an object that may be null."""
    return Column(f"{field}_{part}", kind, nullable=True, field=field, part=part)


def _lookup(field: str) -> tuple[Column, ...]:
    return (
        _inside("int64", field, "id"),
        *(_inside("text", field, p) for p in ("name", "label", "description")),
    )


# The value is the collection that holds the record, not one of the record's own.
COLLECTION_ID: Final = Column("collection_id", "int64", nullable=False, field="id")

_USER: Final = (_inside("int64", "user", "id"), _inside("text", "user", "email"))
_ORIGIN: Final = (_optional("int64", "org_id"), _optional("text", "author_email"))
_STARTED: Final = (_plain("timestamp", "started_at"), _optional("timestamp", "finished_at"))
_CREATED: Final = (_plain("timestamp", "created_at"), _optional("timestamp", "updated_at"))

_COLLECTIONS: Final = (
    COLLECTION_ID,
    _plain("int64", "id"),
    *_USER,
    _plain("text", "name"),
    *_ORIGIN,
    *_CREATED,
)
_DATASETS: Final = (
    COLLECTION_ID,
    _plain("int64", "id"),
    *_USER,
    _plain("int64", "dataset_type_id"),
    _plain("text", "name"),
    _plain("json", "structure"),
    _optional("json", "selected_metrics"),
    _optional("json", "column_mappings"),
    _optional("int64", "data_collection_id"),
    *_ORIGIN,
    *_CREATED,
)
_RUNS: Final = (
    COLLECTION_ID,
    _plain("int64", "id"),
    *_USER,
    *_lookup("run_type"),
    *_lookup("run_source"),
    _plain("int64", "api_key_id"),
    _optional("int64", "dataset_id"),
    _optional("int64", "data_collection_id"),
    *_ORIGIN,
    _plain("int64", "number_of_metrics"),
    _optional("float64", "result"),
    _plain("float64", "threshold"),
    _optional("text", "model_slug"),
    _optional("text", "alias"),
    _optional("json", "aggregate_results"),
    *_STARTED,
    *_CREATED,
    _optional("bool", "is_gte_threshold"),
)
_EVALUATIONS: Final = (
    COLLECTION_ID,
    _plain("int64", "id"),
    _optional("int64", "user_id"),
    _plain("int64", "run_id"),
    _plain("int64", "record_id"),
    _plain("int64", "metric_id"),
    _optional("int64", "dataset_id"),
    _optional("float64", "result"),
    _plain("float64", "threshold"),
    _optional("text", "explanation"),
    _optional("text", "model_slug"),
    *_STARTED,
    _optional("int64", "input_tokens"),
    _optional("int64", "output_tokens"),
    # Null where the cost does not fit exactly; the text beside it always holds it.
    Column("evaluation_cost", "decimal", nullable=True, field="evaluation_cost"),
    Column("evaluation_cost_text", "decimal_text", nullable=True, field="evaluation_cost"),
    _optional("bool", "is_success"),
    _optional("bool", "is_gte_threshold"),
    *_CREATED,
    _optional("json", "eval_metadata"),
)

_ID: Final = ("collection_id", "id")

TABLES: Final = (
    Table("collections", models.DataCollection, _ID, _COLLECTIONS),
    Table("datasets", models.Dataset, _ID, _DATASETS),
    Table("runs", models.Run, _ID, _RUNS),
    Table("evaluations", models.Evaluation, ("collection_id", "run_id", "id"), _EVALUATIONS),
)

ELSEWHERE: Final[Mapping[type, tuple[str, ...]]] = {
    models.DataCollection: ("datasets", "runs"),
    models.Run: ("dataset", "evaluations"),
}
"""Fields that are no column of their table, because their values are rows of another."""
