"""A database as the sink of all databases sees it: statements, queries, transactions."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Protocol, TypeAlias

import pyarrow as pa

from aegis_async.export._schema import Kind

__all__ = ["Database", "Row", "undone"]

Row: TypeAlias = tuple[Any, ...]


class Database(Protocol):
    """A connection, and how its database differs from others.

    Attributes:
        name: What errors speak of.
        types: Its type for each kind of column.
        day: The day of ``finished_at`` in UTC.
        key: What stands behind a column that is its table's key.
        references: What stands behind ``collection_id`` in the tables below ``collections``.
        indexed: Whether an index on ``collection_id`` helps.
    """

    name: str
    types: Mapping[Kind, str]
    day: str
    key: str
    references: str
    indexed: bool

    def transaction(self) -> AbstractContextManager[None]:
        """Give a block that happens as a whole or not at all.

        Raises:
            ExportError: Something in it failed.
        """

    def execute(self, statement: str) -> None:
        """Run one statement."""

    def query(self, statement: str) -> list[Row]:
        """Give the rows of a query."""

    def has(self, table: str) -> bool:
        """Tell whether there is such a table."""

    def insert(self, table: str, rows: pa.Table) -> None:
        """Add rows to a table."""

    def publish(self) -> None:
        """Let readers have what was written; from here on it is only read."""

    def close(self) -> None:
        """Let readers have what was written, if they have not yet, and end the connection."""


@contextmanager
def undone(rollback: Callable[[], object], complaints: type[Exception]) -> Iterator[None]:
    """Roll back, or close, when the block fails; what it failed of goes on, whatever the database says to that."""
    try:
        yield
    except BaseException:
        with suppress(complaints):
            rollback()
        raise
