"""What a database holds when an export has made it ready: the tables of the schema, views, and tables of its own."""

from typing import Final

from aegis_async.errors import ExportError
from aegis_async.export._schema import SCHEMA_VERSION, TABLES, Table
from aegis_async.export._sinks._database import Database

__all__ = ["MARKS", "PROGRESS", "make_ready"]

MARKS: Final = "_aegis_collections"
PROGRESS: Final = "_aegis_pass"
_MARKS: Final = "collection_id BIGINT{key}, fingerprint TEXT, pass BIGINT, settled BOOLEAN, gone BOOLEAN"

_LATEST_RUNS: Final = """
CREATE VIEW latest_runs AS
SELECT * FROM (
    SELECT runs.*, row_number() OVER (
        PARTITION BY collection_id, model_slug ORDER BY finished_at DESC, id DESC
    ) AS place
    FROM runs WHERE finished_at IS NOT NULL
) AS ended WHERE place = 1
"""
_RATES: Final = """
CREATE VIEW pass_rate_by_model_and_day AS
SELECT model_slug, {day} AS day, count(*) AS runs,
       avg(CASE WHEN is_gte_threshold THEN 1.0 WHEN NOT is_gte_threshold THEN 0.0 END) AS pass_rate
FROM runs WHERE finished_at IS NOT NULL
GROUP BY model_slug, {day}
"""


def make_ready(database: Database) -> None:
    """Create whatever is missing, in the transaction under way.

    Raises:
        ExportError: There are tables with the names of ours that no export made.
    """
    if database.has(PROGRESS):
        return
    taken = [table.name for table in TABLES if database.has(table.name)]
    if taken:
        raise ExportError(f"{database.name} has a table {taken[0]} that is not of an export; use another one")
    for table in TABLES:
        database.execute(_definition(database, table))
        if database.indexed and table.name != "collections":
            database.execute(f"CREATE INDEX {table.name}_by_key ON {table.name} ({', '.join(table.key)})")
    database.execute(f"CREATE TABLE {MARKS} ({_MARKS.format(key=database.key)})")
    database.execute(f"CREATE TABLE {PROGRESS} (schema_version INTEGER, number BIGINT, intent TEXT, finished BOOLEAN)")
    database.execute(f"INSERT INTO {PROGRESS} VALUES ({SCHEMA_VERSION}, 0, '', TRUE)")  # noqa: S608 - ours
    database.execute(_LATEST_RUNS)
    database.execute(_RATES.format(day=database.day))


def _definition(database: Database, table: Table) -> str:
    columns = [f"{c.name} {database.types[c.kind]}{'' if c.nullable else ' NOT NULL'}" for c in table.columns]
    columns[0] += database.references if table.name != "collections" else database.key
    return f"CREATE TABLE {table.name} ({', '.join(columns)})"
