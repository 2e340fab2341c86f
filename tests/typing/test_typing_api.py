"""Claims about what a type checker sees: mypy checks them, and running them shows that they speak of real values."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import assert_type

import msgspec

from aegis_async import (
    AegisClient,
    Cursor,
    DataCollections,
    FanOut,
    FanOutIterator,
    ItemIterator,
    ListingReport,
    Outcome,
    PageIterator,
    Paginator,
)
from aegis_async.errors import AegisError, StatusError
from aegis_async.models import (
    DataCollection,
    DataCollectionSummary,
    Dataset,
    Evaluation,
    Page,
    PageMeta,
    Run,
    User,
)


class Row(msgspec.Struct):
    """A type of the caller's."""

    id: int


async def test_a_listing_keeps_the_type_of_its_items(client: AegisClient) -> None:
    """Items, pages, lists and the first item of a listing are typed without a cast."""
    assert_type(client.data_collections, DataCollections)
    listing = assert_type(client.data_collections.list(), Paginator[DataCollectionSummary])

    async for item in listing:
        assert_type(item, DataCollectionSummary)
    async for page in assert_type(listing.pages(), PageIterator[DataCollectionSummary]):
        assert_type(page, Page[DataCollectionSummary])
        assert_type(page.items, tuple[DataCollectionSummary, ...])
        assert_type(page.meta, PageMeta)
    async with aiter(listing) as items:
        assert_type(items, ItemIterator[DataCollectionSummary])
    assert_type(await listing, Page[DataCollectionSummary])
    assert_type(await listing.count(), int)
    assert_type(await listing.first(), DataCollectionSummary | None)
    assert_type(await listing.take(1), list[DataCollectionSummary])
    assert_type(await listing.collect(), list[DataCollectionSummary])
    assert_type(listing.report, ListingReport)
    assert_type(listing.cursor, Cursor)


async def test_a_fan_out_keeps_the_type_of_its_values(client: AegisClient) -> None:
    """Values and outcomes of a fan-out are typed without a cast."""
    fan_out = assert_type(client.data_collections.get_many([1, 2]), FanOut[DataCollection])

    async for value in fan_out:
        assert_type(value, DataCollection)
    async with aiter(fan_out) as values:
        assert_type(values, FanOutIterator[DataCollection])
    async for outcome in fan_out.outcomes():
        assert_type(outcome, Outcome[DataCollection])
        assert_type(outcome.value, DataCollection | None)
        assert_type(outcome.error, AegisError | None)
    assert_type(await fan_out.collect(), list[DataCollection])


async def test_a_collection_is_typed_to_its_leaves(client: AegisClient) -> None:
    """The full collection's parts are Structs, times are datetimes and costs decimals."""
    full = assert_type(await client.data_collections.get(14), DataCollection)
    assert_type(full.user, User | None)
    assert_type(full.created_at, datetime)
    for dataset in full.datasets:
        assert_type(dataset, Dataset)
        assert_type(dataset.selected_metrics, Mapping[str, object] | None)
    for run in full.runs:
        assert_type(run, Run)
        for evaluation in run.evaluations:
            assert_type(evaluation, Evaluation)
            assert_type(evaluation.evaluation_cost, Decimal | None)


async def test_a_type_of_the_callers_comes_back(client: AegisClient) -> None:
    """What is asked for by type is given in that type."""
    assert_type(await client.fetch("/data-collections/1", Row), Row)
    assert_type(await client.fetch("/data-collections/1", bytes), bytes)
    rows = client.paginate("/datasets", Row)
    assert 0 == assert_type(rows, Paginator[Row]).stats.pages
    assert_type(client.with_options(timeout=5), AegisClient)


def test_errors_have_typed_attributes() -> None:
    """What an error carries is typed as the design says."""
    error = StatusError("what happened")

    assert_type(error.status, int)
    assert_type(error.detail, str | None)
    assert_type(error.retry_after, float | None)
