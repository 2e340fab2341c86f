"""What the service sends, as frozen Structs named and ordered as its own page.

Source: "Get data collections": example responses and field shapes. A field is optional here where the page
says ``| null``, or where ``api/notes`` of the service says that an older revision lacks it; beyond that,
a missing field is a :class:`~aegis_async.errors.DecodeError`, never a silent default.

Each Struct names all of its fields, though short and full forms share many: a base class would put them first, and the
page has its own order.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Generic, TypeVar

from msgspec import Meta, Struct

__all__ = [
    "DataCollection",
    "DataCollectionHead",
    "DataCollectionSummary",
    "Dataset",
    "DatasetSummary",
    "Evaluation",
    "Page",
    "PageMeta",
    "Run",
    "RunSource",
    "RunSummary",
    "RunType",
    "User",
]

_ItemT = TypeVar("_ItemT")

# The decoder's second path gives UTC to a timestamp that has no offset.
_Timestamp = Annotated[datetime, Meta(tz=True)]


class User(Struct, frozen=True, gc=False):
    """The owner of a record; a record of an organization alone has none.

    Attributes:
        id: None where the service sent only the e-mail address.
        email: The e-mail address.
    """

    id: int | None
    email: str


class RunType(Struct, frozen=True, gc=False):
    """What a run was made from: a dataset, a single record, a custom call.

    Attributes:
        id: None where the service sent only the name.
        name: The short name; None, as the next two, where the service sent only the id.
        label: The name for people.
        description: One sentence.
    """

    id: int | None
    name: str | None
    label: str | None
    description: str | None


class RunSource(Struct, frozen=True, gc=False):
    """Where a run was started: the API, the web page.

    Attributes:
        id: None where the service sent only the name.
        name: The short name; None, as the next two, where the service sent only the id.
        label: The name for people.
        description: One sentence.
    """

    id: int | None
    name: str | None
    label: str | None
    description: str | None


class DatasetSummary(Struct, frozen=True, gc=False):
    """A dataset as a listing shows it.

    Attributes:
        id: The dataset's id.
        name: The dataset's name.
        user: The owner, None when the dataset belongs to an organization alone.
        org_id: The organization it is shared with.
        author_email: None in older revisions of the service.
        created_at: None in older revisions of the service.
        updated_at: None until the first change.
    """

    id: int
    name: str
    user: User | None
    org_id: int | None
    author_email: str | None
    created_at: _Timestamp | None
    updated_at: _Timestamp | None


class RunSummary(Struct, frozen=True, gc=False):
    """A run as a listing shows it, without its evaluations.

    Attributes:
        id: The run's id.
        user: The owner, None when the run belongs to an organization alone.
        run_type: What the run was made from.
        run_source: Where the run was started.
        api_key_id: The key that started it (its id, never the key).
        dataset_id: The dataset it ran over.
        data_collection_id: The collection that holds it.
        org_id: The organization it is shared with.
        author_email: None in older revisions of the service.
        number_of_metrics: How many metrics each record was scored with.
        threshold: The score from which the run passes.
        model_slug: The model whose output was evaluated.
        alias: A name that somebody gave the run.
        result: The run's score, None while it is unfinished.
        aggregate_results: Metric shortname to score, as ``{"ans_corr": 86}``; read-only.
        started_at: When the run began.
        finished_at: None while it is unfinished.
        created_at: When the record was made.
        updated_at: None until the first change.
        is_gte_threshold: Whether ``result`` reached ``threshold``.
    """

    id: int
    user: User | None
    run_type: RunType
    run_source: RunSource
    api_key_id: int
    dataset_id: int | None
    data_collection_id: int | None
    org_id: int | None
    author_email: str | None
    number_of_metrics: int
    threshold: float
    model_slug: str | None
    alias: str | None
    result: float | None
    aggregate_results: Mapping[str, object] | None
    started_at: _Timestamp
    finished_at: _Timestamp | None
    created_at: _Timestamp
    updated_at: _Timestamp | None
    is_gte_threshold: bool | None


class DataCollectionSummary(Struct, frozen=True, gc=False):
    """A data collection as a listing shows it: nested datasets and runs in short form.

    Attributes:
        id: The collection's id, for ``get`` and ``get_many``.
        user: The owner, None when the collection belongs to an organization alone.
        name: The collection's name.
        org_id: The organization it is shared with.
        author_email: None in older revisions of the service.
        datasets: Its datasets, in the service's order.
        runs: Its runs, in the service's order.
        created_at: When it was made.
        updated_at: None until the first change.
    """

    id: int
    user: User | None
    name: str
    org_id: int | None
    author_email: str | None
    datasets: tuple[DatasetSummary, ...]
    runs: tuple[RunSummary, ...]
    created_at: _Timestamp
    updated_at: _Timestamp | None


class Dataset(Struct, frozen=True, gc=False):
    """A dataset in full.

    Attributes:
        id: The dataset's id.
        user: The owner, None when the dataset belongs to an organization alone.
        dataset_type_id: The kind of dataset.
        name: The dataset's name.
        structure: The columns, as ``("prompt", "output", "golden_answer")``.
        selected_metrics: Metric id to threshold, as ``{"1": 70, "2": 80}``; read-only.
        column_mappings: The caller's column names to the service's; read-only.
        data_collection_id: The collection that holds it.
        org_id: The organization it is shared with.
        author_email: None in older revisions of the service.
        created_at: When the record was made.
        updated_at: None until the first change.
    """

    id: int
    user: User | None
    dataset_type_id: int
    name: str
    structure: tuple[str, ...]
    selected_metrics: Mapping[str, object] | None
    column_mappings: Mapping[str, object] | None
    data_collection_id: int | None
    org_id: int | None
    author_email: str | None
    created_at: _Timestamp
    updated_at: _Timestamp | None


class Evaluation(Struct, frozen=True, gc=False):
    """One metric's score of one record.

    Attributes:
        id: The evaluation's id.
        user_id: None when the evaluation belongs to an organization alone.
        run_id: The run that holds it.
        record_id: The record that was scored.
        metric_id: The metric it was scored with.
        dataset_id: The dataset that holds the record.
        result: The score, None when there is none.
        threshold: The score from which the record passes.
        explanation: The judge's words.
        model_slug: The model whose output was evaluated.
        started_at: When the evaluation began.
        finished_at: None while it is unfinished.
        input_tokens: Tokens that the judge read.
        output_tokens: Tokens that the judge wrote.
        evaluation_cost: What the judge cost: finite, exact, in the service's currency.
        is_success: Whether the evaluation itself ran through.
        is_gte_threshold: Whether ``result`` reached ``threshold``.
        created_at: When the record was made.
        updated_at: None until the first change.
        eval_metadata: Whatever the metric left behind; read-only.
    """

    id: int
    user_id: int | None
    run_id: int
    record_id: int
    metric_id: int
    dataset_id: int | None
    result: float | None
    threshold: float
    explanation: str | None
    model_slug: str | None
    started_at: _Timestamp
    finished_at: _Timestamp | None
    input_tokens: int | None
    output_tokens: int | None
    evaluation_cost: Decimal | None
    is_success: bool | None
    is_gte_threshold: bool | None
    created_at: _Timestamp
    updated_at: _Timestamp | None
    eval_metadata: Mapping[str, object] | None


class Run(Struct, frozen=True, gc=False, kw_only=True):
    """A run in full, with its evaluations.

    Attributes:
        id: The run's id.
        user: The owner, None when the run belongs to an organization alone.
        run_type: What the run was made from.
        run_source: Where the run was started.
        api_key_id: The key that started it (its id, never the key).
        dataset_id: The dataset it ran over.
        data_collection_id: The collection that holds it.
        org_id: The organization it is shared with.
        author_email: None in older revisions of the service.
        dataset: The dataset it ran over, in full, where the service nests it.
        number_of_metrics: How many metrics each record was scored with.
        result: The run's score, None while it is unfinished.
        threshold: The score from which the run passes.
        model_slug: The model whose output was evaluated.
        alias: A name that somebody gave the run.
        aggregate_results: Metric shortname to score, as ``{"ans_corr": 86}``; read-only.
        started_at: When the run began.
        finished_at: None while it is unfinished.
        created_at: When the record was made.
        updated_at: None until the first change.
        is_gte_threshold: Whether ``result`` reached ``threshold``.
        evaluations: Each metric's score of each record, in the service's order.
    """

    id: int
    user: User | None
    run_type: RunType
    run_source: RunSource
    api_key_id: int
    dataset_id: int | None
    data_collection_id: int | None
    org_id: int | None
    author_email: str | None
    dataset: Dataset | None = None
    number_of_metrics: int
    result: float | None
    threshold: float
    model_slug: str | None
    alias: str | None
    aggregate_results: Mapping[str, object] | None
    started_at: _Timestamp
    finished_at: _Timestamp | None
    created_at: _Timestamp
    updated_at: _Timestamp | None
    is_gte_threshold: bool | None
    evaluations: tuple[Evaluation, ...]


class DataCollection(Struct, frozen=True, gc=False):
    """A data collection in full: its datasets, its runs and every evaluation.

    Attributes:
        id: The collection's id.
        user: The owner, None when the collection belongs to an organization alone.
        name: The collection's name.
        org_id: The organization it is shared with.
        author_email: None in older revisions of the service.
        datasets: Its datasets in full, in the service's order.
        runs: Its runs in full, in the service's order.
        created_at: When it was made.
        updated_at: None until the first change.
    """

    id: int
    user: User | None
    name: str
    org_id: int | None
    author_email: str | None
    datasets: tuple[Dataset, ...]
    runs: tuple[Run, ...]
    created_at: _Timestamp
    updated_at: _Timestamp | None


class DataCollectionHead(Struct, frozen=True, gc=False):
    """A data collection's own fields, without its runs, as ``stream`` gives them first.

    Attributes:
        id: The collection's id.
        user: The owner, None when the collection belongs to an organization alone.
        name: The collection's name.
        org_id: The organization it is shared with.
        author_email: None in older revisions of the service.
        datasets: Its datasets in full, in the service's order.
        created_at: When it was made.
        updated_at: None until the first change.
    """

    id: int
    user: User | None
    name: str
    org_id: int | None
    author_email: str | None
    datasets: tuple[Dataset, ...]
    created_at: _Timestamp
    updated_at: _Timestamp | None


class PageMeta(Struct, frozen=True, gc=False):
    """Where a page stands in its listing.

    Attributes:
        current_page: This page's number, from 1.
        page_size: The most items that a page holds.
        total_items: Items in the whole listing when this page was cut.
        items_on_page: Items on this page.
        total_pages: Pages in the whole listing when this page was cut.
        has_next: Whether a page follows.
        has_previous: Whether a page comes before.
        next_page: The number to ask for next; None ends the listing.
        previous_page: The number before this one.
    """

    current_page: int
    page_size: int
    total_items: int
    items_on_page: int
    total_pages: int
    has_next: bool
    has_previous: bool
    next_page: int | None
    previous_page: int | None


class Page(Struct, Generic[_ItemT], frozen=True, gc=False):
    """One page of a listing, as the service sent it.

    Attributes:
        items: The items in the service's order, repeats included.
        meta: Where the page stands in its listing.
    """

    items: tuple[_ItemT, ...]
    meta: PageMeta
