"""What Spark asks: the driver for partitions, once it has told its filters, and each task for the rows of one."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
from pyspark.sql.datasource import DataSourceReader, Filter, InputPartition
from pyspark.sql.types import StructType

from aegis_async._spark._columns import arrow_schema
from aegis_async._spark._draining import drained
from aegis_async._spark._fetching import batches
from aegis_async._spark._filters import condition
from aegis_async._spark._options import Options
from aegis_async._spark._planning import parts, planned, rate_of_each
from aegis_async._spark._selection import Condition

__all__ = ["reader"]


@dataclass
class Ids(InputPartition):  # type: ignore[misc]  # pyspark has no types here
    """The collections of one partition, and the requests per second that it may make.

    Attributes:
        ids: The ids, ascending.
        rate_limit: Its part of the whole rate.
    """

    ids: tuple[int, ...]
    rate_limit: float | None


class Reader(DataSourceReader):  # type: ignore[misc]  # pyspark has no types here
    """Reads one table.

    Args:
        options: What to read, and how.
        schema: The columns to read.
    """

    def __init__(self, options: Options, schema: StructType) -> None:
        self._options = options
        self._schema = arrow_schema(options.table, schema)
        self._conditions: list[Condition] = []

    def partitions(self) -> list[Ids]:
        """List the ids and divide them."""
        ids = asyncio.run(planned(self._options, self._conditions))
        ranges = parts(ids, self._options.partitions)
        rate = rate_of_each(self._options, len(ranges))
        return [Ids(one, rate) for one in ranges]

    def read(self, partition: Ids) -> Iterator[pa.RecordBatch]:
        """Fetch the collections of one partition."""
        return drained(partial(batches, self._options, partition.ids, self._schema, partition.rate_limit))


class PushdownReader(Reader):
    """Takes filters as well, which Spark refuses of every reader that can, unless its configuration allows it."""

    def pushFilters(self, filters: Iterable[Filter]) -> Iterator[Filter]:  # noqa: N802 - Spark's name
        """Keep the conditions on the id of a collection, and give back all others."""
        for one in filters:
            found = condition(self._options.table, one)
            if found is None:
                yield one
            else:
                self._conditions.append(found)


def reader(options: Options, schema: StructType) -> Reader:
    """Give the reader for these options.

    Raises:
        InvalidArgumentError: The schema is not of the table's columns.
    """
    return (PushdownReader if options.pushdown else Reader)(options, schema)
