"""Ids to Arrow batches of one table, in the order of the ids and a few collections in memory at a time."""

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final, cast

import pyarrow as pa

from aegis_async._fanout import Outcome
from aegis_async._resources.data_collections import DataCollections, is_too_large, stream_body
from aegis_async._spark._options import Options
from aegis_async.errors import ExportError, NotFoundError
from aegis_async.export._arrow import UnfitError, warm_up
from aegis_async.export._batches import converted, wrong_id
from aegis_async.export._large import RefusedError, sliced
from aegis_async.export._rows import Tables, rows_of
from aegis_async.models import DataCollection

__all__ = ["batches"]

log = logging.getLogger("aegis_async")

# A batch is handed over when it has reached one of these.
_ROWS: Final = 4096
_BYTES: Final = 4 << 20


async def batches(
    options: Options, ids: Sequence[int], schema: pa.Schema, rate_limit: float | None
) -> AsyncGenerator[pa.RecordBatch, None]:
    """Yield the rows of the collections with these ids.

    The order is that of the ids, so that a task that runs again gives the same rows in the same places.

    Args:
        options: What to read, and how.
        ids: The collections.
        schema: The columns.
        rate_limit: Requests per second.

    Raises:
        ExportError: A collection does not fit the tables.
        AegisError: One could not be fetched.
    """
    warm_up()
    waiting: list[pa.RecordBatch] = []
    async with (
        options.client(rate_limit, max_body_size=options.stream_above) as client,
        aclosing(_pieces(client.data_collections, options, ids)) as pieces,
    ):
        async for piece in pieces:
            waiting.append(_fitted(piece, schema))
            if sum(one.num_rows for one in waiting) >= _ROWS or sum(one.nbytes for one in waiting) >= _BYTES:
                yield _joined(waiting)
                waiting = []
    if waiting:
        yield _joined(waiting)


async def _pieces(
    collections: DataCollections, options: Options, ids: Sequence[int]
) -> AsyncGenerator[pa.RecordBatch, None]:
    fetched = collections.get_many(ids, concurrency=options.concurrency, ordered=True, shared=options.shared)
    async with fetched.outcomes() as outcomes:
        async for outcome in outcomes:
            try:
                async with aclosing(_tables(collections, options, outcome)) as slices:
                    async for tables in slices:
                        for _, piece in await converted(tables, (options.table,)):
                            yield piece
            except NotFoundError:
                log.warning("collection %s is not there (404), and left out", outcome.id)
            except (UnfitError, RefusedError) as error:
                raise ExportError(f"collection {outcome.id} does not fit the tables: {error}") from None


async def _tables(
    collections: DataCollections, options: Options, outcome: Outcome[DataCollection]
) -> AsyncGenerator[Tables, None]:
    if is_too_large(outcome.error):
        async with (
            stream_body(collections, outcome.id, shared=options.shared) as stream,
            aclosing(sliced(stream)) as slices,
        ):
            async for tables in slices:
                yield tables
    else:
        yield rows_of((_value(outcome),))


def _value(outcome: Outcome[DataCollection]) -> DataCollection:
    if outcome.error is not None:
        raise outcome.error
    collection = cast("DataCollection", outcome.value)  # one of the two is there
    if collection.id != outcome.id:
        raise RefusedError(wrong_id(collection.id))
    return collection


def _fitted(piece: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([piece.column(name) for name in schema.names], schema=schema)


def _joined(waiting: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    # No text column of so few rows reaches the two gigabytes that would make it two batches.
    return pa.Table.from_batches(waiting).combine_chunks().to_batches()[0]
