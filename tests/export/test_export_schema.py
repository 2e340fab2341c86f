"""The tables: every field of the models has its place, and every value its type."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Context, Decimal
from types import NoneType
from typing import Any, get_args, get_type_hints

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_async.export import TABLES, Table
from aegis_async.export._arrow import TABLE_SCHEMAS, UnfitError, _fitted, pieces_of, unfit_costs
from aegis_async.export._arrow import tables_of as tables_of_pieces
from aegis_async.export._rows import count, rows_of
from aegis_async.export._schema import ELSEWHERE
from aegis_async.models import DataCollection

Document = dict[str, Any]
MakeDocument = Callable[..., Document]
Decode = Callable[[Document], DataCollection]


def tables_of(collections: Iterable[DataCollection]) -> dict[str, pa.Table]:
    return tables_of_pieces(pieces_of(rows_of(collections)))


by_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


@by_table
def test_every_field_is_a_column_or_rows_of_another_table(table: Table) -> None:
    """No field of a model is left out in silence."""
    fields = {field.name for field in msgspec.structs.fields(table.record)}
    names = {column.name for column in table.columns}
    flattened = names - fields

    homeless = {f for f in fields - names if not any(name.startswith(f"{f}_") for name in flattened)}

    assert set(ELSEWHERE.get(table.record, ())) == homeless


@by_table
def test_a_column_is_nullable_where_its_field_is(table: Table) -> None:
    """What the models promise, the schema promises too, and no more."""
    hints = get_type_hints(table.record)
    plain = {column.name: column.nullable for column in table.columns if column.name in hints}

    promised = {name: NoneType in get_args(hints[name]) for name in plain}

    assert promised == plain


@by_table
def test_a_key_names_columns_that_are_never_null(table: Table) -> None:
    """A row can always be named."""
    required = {column.name for column in table.columns if not column.nullable}

    missing = set(table.key) - required

    assert set() == missing


@by_table
def test_every_table_has_its_own_column_names(table: Table) -> None:
    """No two columns of a table share a name, and the first is the collection's id."""
    names = [column.name for column in table.columns]

    assert len(names) == len(set(names))
    assert "collection_id" == names[0]


def test_a_collection_becomes_a_row(document: MakeDocument, decoded: Decode) -> None:
    """A collection's own fields stand in `collections`, its user in two columns."""
    (row,) = tables_of([decoded(document())])["collections"].to_pylist()

    assert {
        "collection_id": 14,
        "id": 14,
        "user_id": 7,
        "user_email": "analyst@acme.com",
        "name": "My bundle",
        "org_id": None,
        "author_email": "analyst@acme.com",
        "created_at": datetime(2026, 4, 1, 9, 20, tzinfo=UTC),
        "updated_at": None,
    } == row


def test_a_dataset_becomes_a_row(document: MakeDocument, decoded: Decode) -> None:
    """Free-form fields are JSON text."""
    (row,) = tables_of([decoded(document())])["datasets"].to_pylist()

    assert {
        "collection_id": 14,
        "id": 1,
        "user_id": 7,
        "user_email": "analyst@acme.com",
        "dataset_type_id": 1,
        "name": "Support QA",
        "structure": '["prompt","output"]',
        "selected_metrics": '{"1":70}',
        "column_mappings": None,
        "data_collection_id": 14,
        "org_id": None,
        "author_email": "analyst@acme.com",
        "created_at": datetime(2026, 4, 1, 9, 20, tzinfo=UTC),
        "updated_at": None,
    } == row


def test_a_run_becomes_a_row(document: MakeDocument, decoded: Decode) -> None:
    """The type and the source of a run stand in four columns each."""
    (row,) = tables_of([decoded(document())])["runs"].to_pylist()

    assert {
        "collection_id": 14,
        "id": 991,
        "user_id": 7,
        "user_email": "analyst@acme.com",
        "run_type_id": 2,
        "run_type_name": "dataset",
        "run_type_label": "Dataset",
        "run_type_description": "By dataset",
        "run_source_id": 1,
        "run_source_name": "api",
        "run_source_label": "Api",
        "run_source_description": "By api",
        "api_key_id": 12,
        "dataset_id": 1,
        "data_collection_id": 14,
        "org_id": None,
        "author_email": "analyst@acme.com",
        "number_of_metrics": 2,
        "result": 83.5,
        "threshold": 70.0,
        "model_slug": "gpt-4o",
        "alias": None,
        "aggregate_results": '{"ans_corr":86}',
        "started_at": datetime(2026, 4, 1, 9, 12, tzinfo=UTC),
        "finished_at": datetime(2026, 4, 1, 9, 13, 12, 500_000, tzinfo=UTC),
        "created_at": datetime(2026, 4, 1, 9, 20, tzinfo=UTC),
        "updated_at": None,
        "is_gte_threshold": True,
    } == row


def test_an_evaluation_becomes_a_row(document: MakeDocument, decoded: Decode) -> None:
    """A cost stands twice: as a decimal, and as the text that it was."""
    row = tables_of([decoded(document())])["evaluations"].to_pylist()[1]

    assert {
        "collection_id": 14,
        "id": 5_001,
        "user_id": 7,
        "run_id": 991,
        "record_id": 100,
        "metric_id": 3,
        "dataset_id": 1,
        "result": 86.0,
        "threshold": 70.0,
        "explanation": "Grundsätzlich richtig ✓",
        "model_slug": "gpt-4o",
        "started_at": datetime(2026, 4, 1, 9, 12, tzinfo=UTC),
        "finished_at": datetime(2026, 4, 1, 9, 13, 12, 500_000, tzinfo=UTC),
        "input_tokens": 512,
        "output_tokens": None,
        "evaluation_cost": Decimal("0.00120"),
        "evaluation_cost_text": "0.00120",
        "is_success": True,
        "is_gte_threshold": None,
        "created_at": datetime(2026, 4, 1, 9, 20, tzinfo=UTC),
        "updated_at": None,
        "eval_metadata": '{"judge":{"temperature":0.5}}',
    } == row


def test_an_organizations_record_has_no_user(document: MakeDocument, decoded: Decode) -> None:
    """A null user is null in both of its columns."""
    table = tables_of([decoded(document(user=None, org_id=5))])["collections"]

    assert [(None, None, 5)] == [(r["user_id"], r["user_email"], r["org_id"]) for r in table.to_pylist()]


def test_a_timestamp_with_an_offset_becomes_utc(document: MakeDocument, decoded: Decode) -> None:
    """The instant is kept, whatever the zone it was written in."""
    table = tables_of([decoded(document(created_at="2026-04-01T11:20:00.000001+02:00"))])["collections"]

    assert pa.timestamp("us", tz="UTC") == table.schema.field("created_at").type
    assert [datetime(2026, 4, 1, 9, 20, 0, 1, tzinfo=UTC)] == table["created_at"].to_pylist()


def test_a_dataset_that_only_a_run_nests_becomes_a_row(
    document: MakeDocument,
    decoded: Decode,
    run_document: Callable[[int, int], Document],
    dataset_document: Callable[[int], Document],
) -> None:
    """What the collection lists is not repeated; what two runs nest comes once; null is no row."""
    runs = [
        run_document(n, 0) | {"dataset": nested}
        for n, nested in enumerate((dataset_document(1), dataset_document(2), dataset_document(2), None))
    ]
    collection = decoded(document(runs=runs))

    tables = tables_of([collection])

    assert [1, 2] == tables["datasets"]["id"].to_pylist()
    assert 1 + 2 + 4 == count(collection)


def test_rows_know_their_collection_across_pieces(document: MakeDocument, decoded: Decode) -> None:
    """Many rows are converted in pieces, and each keeps the id of its own collection."""
    collections = [decoded(document(id_, evaluations=n)) for id_, n in ((1, 1_999), (2, 0), (3, 2_002))]

    tables = tables_of(collections)

    assert [1] * 1_999 + [3] * 2_002 == tables["evaluations"]["collection_id"].to_pylist()
    assert 5 == tables["evaluations"]["id"].num_chunks
    assert [1, 2, 3] == tables["runs"]["collection_id"].to_pylist()
    assert sum(table.num_rows for table in tables.values()) == sum(map(count, collections))


def test_no_collections_give_empty_tables() -> None:
    """Each table has its schema even without a row."""
    tables = tables_of([])

    assert TABLE_SCHEMAS == {name: table.schema for name, table in tables.items()}
    assert {0} == {table.num_rows for table in tables.values()}


@pytest.mark.parametrize("id_", [2**63 - 1, 2**53 + 1, -(2**63)])
def test_a_64_bit_id_is_kept_exactly(document: MakeDocument, decoded: Decode, id_: int) -> None:
    """No id passes through a float."""
    table = tables_of([decoded(document(org_id=id_))])["collections"]

    assert [id_] == table["org_id"].to_pylist()


@pytest.mark.parametrize("id_", [2**63, -(2**63) - 1, 2**64, 10**30])
def test_an_id_beyond_64_bits_names_its_column(document: MakeDocument, decoded: Decode, id_: int) -> None:
    """What does not fit is an error that says where, not a wrong number."""
    collection = decoded(document())
    broken = msgspec.structs.replace(collection, org_id=id_)

    with pytest.raises(UnfitError, match=r"^collections\.org_id holds a value that does not fit int64: "):
        tables_of([broken])


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        ("0.00120", "0.00120"),
        ("99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999"),
        ("-1.5", "-1.5"),
        ("1E+5", "100000"),
        ("1E-18", "0.000000000000000001"),
        ("1.0000000000000000000000", "1"),
        ("0E-400", "0"),
        ("1E-19", None),
        ("1E+20", None),
        ("100000000000000000000", None),
        ("0.1234567890123456789", None),
    ],
)
def test_a_cost_is_a_decimal_where_it_fits_exactly(
    document: MakeDocument, decoded: Decode, cost: str, expected: str | None
) -> None:
    """Nothing is rounded into the column: it is null there, kept as text, and counted."""
    collection = decoded(document(evaluations=1))
    (run,) = collection.runs
    (evaluation,) = run.evaluations
    priced = msgspec.structs.replace(evaluation, evaluation_cost=Decimal(cost))
    run = msgspec.structs.replace(run, evaluations=(priced,))

    table = tables_of([msgspec.structs.replace(collection, runs=(run,))])["evaluations"]

    assert [None if expected is None else Decimal(expected)] == table["evaluation_cost"].to_pylist()
    assert [str(Decimal(cost))] == table["evaluation_cost_text"].to_pylist()
    assert (expected is None) == unfit_costs(table)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_fitted_cost_is_the_same_number_or_none(cost: Decimal) -> None:
    """Whatever fits survives Arrow unchanged, and what does not fit has a digit too many on one side."""
    fitted = _fitted(cost)

    if fitted is None:
        digits = cost.normalize(Context(prec=1_000)).as_tuple()
        assert cost.adjusted() >= 20 or -int(digits.exponent) > 18
    else:
        assert cost == fitted
        assert [cost] == pa.array([fitted], pa.decimal128(38, 18)).to_pylist()
