"""What the pages say and the code knows better: the export's tables, as Markdown."""

from collections.abc import Callable, Mapping
from typing import Final

from aegis_async.export import TABLES, Column, Table

__all__ = ["PAGES", "tables"]


def tables() -> str:
    """Give every table of an export with its key and its columns."""
    return "\n".join(map(_table, TABLES))


def _table(table: Table) -> str:
    head = f"### {table.name}\n\nOne row for each `{table.record.__name__}`; key: {', '.join(map(_code, table.key))}.\n"
    return "\n".join([head, "| column | type | may be null |", "|---|---|---|", *map(_row, table.columns), ""])


def _row(column: Column) -> str:
    return f"| `{column.name}` | {column.kind} | {'yes' if column.nullable else ''} |"


def _code(name: str) -> str:
    return f"`{name}`"


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "<!-- generated: tables -->": tables,
}
"""A marker in a page, and what takes its place."""
