"""Claims about which shapes of an answer are accepted, and what they become."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_async._decode import BodyDecoder, Decoders
from aegis_async.errors import DecodeError, InvalidArgumentError
from aegis_async.models import DataCollection, DataCollectionSummary, Page, Run, RunSource, RunType, User
from tests.decode.documents import collection, encoded, listing, old_revision

full = BodyDecoder(DataCollection)
page = BodyDecoder(Page[DataCollectionSummary])


def test_the_documented_collection_takes_the_fast_path() -> None:
    """The page's own example decodes without a second path ever being built."""
    decoder = BodyDecoder(DataCollection)

    value = decoder(encoded(collection()))

    assert (14, "gpt-4o", 86.0) == (value.id, value.runs[0].model_slug, value.runs[0].evaluations[0].result)
    assert decoder._revised is None


def test_the_documented_listing_decodes_to_summaries() -> None:
    """The page's own listing gives a Page of summaries with its meta."""
    value = page(encoded(listing()))

    assert isinstance(value.items[0], DataCollectionSummary)
    assert 1 == value.meta.total_items


@pytest.mark.parametrize("decoder", [full, page], ids=["collection", "listing"])
def test_an_older_revision_ends_in_the_same_types(decoder: BodyDecoder[Any]) -> None:
    """Ids where today's objects are become a RunType with the id alone, and what is lacking is None."""
    document = collection() if decoder is full else listing()

    value = decoder(encoded(old_revision(document)))

    item = value if decoder is full else value.items[0]
    assert RunType(2, None, None, None) == item.runs[0].run_type
    assert RunSource(1, None, None, None) == item.runs[0].run_source
    assert item.author_email is None
    assert item.runs[0].author_email is None


def test_an_older_dataset_summary_has_no_timestamps() -> None:
    """A dataset summary of an older revision has None where its timestamps are lacking."""
    value = page(encoded(old_revision(listing())))

    assert (None, None) == (value.items[0].datasets[0].created_at, value.items[0].datasets[0].updated_at)


def test_a_flattened_run_gets_its_objects_back() -> None:
    """A user that is an e-mail address and a type that is a name become a User and a RunType with what is known."""
    document = collection()
    document["runs"][0] |= {"user": "analyst@acme.com", "run_type": "Custom", "run_source": "API"}

    run = full(encoded(document)).runs[0]

    assert User(None, "analyst@acme.com") == run.user
    assert RunType(None, "Custom", None, None) == run.run_type
    assert RunSource(None, "API", None, None) == run.run_source


def test_an_absent_nested_dataset_is_none() -> None:
    """A run's own dataset is optional on the page, so that its absence needs no second path."""
    document = collection()
    del document["runs"][0]["dataset"]

    assert full(encoded(document)).runs[0].dataset is None


def test_records_of_an_organization_alone_have_no_user() -> None:
    """A null user and a null user_id are accepted, as an organization's own records have them."""
    document = collection()
    document |= {"user": None, "org_id": 3}
    document["runs"][0]["evaluations"][0]["user_id"] = None

    value = full(encoded(document))

    assert value.user is None
    assert value.runs[0].evaluations[0].user_id is None


def test_unknown_fields_are_ignored() -> None:
    """A field that the models do not know does no harm on either path."""
    document = collection() | {"colour": {"deep": [1, 2.5]}}

    assert 14 == full(encoded(document)).id
    assert 14 == full(encoded(old_revision(document))).id


@pytest.mark.parametrize("written", ["14", "14.0", "14.0e0", "1.4e1"])
def test_an_integer_may_be_written_as_a_float(written: str) -> None:
    """An integer below 2**53 is accepted in every way that JSON writes it."""
    body = encoded(collection()).replace(b'"id": 14,', f'"id": {written},'.encode(), 1)

    value = full(body).id

    assert 14 == value
    assert isinstance(value, int)


@pytest.mark.parametrize(
    "written", ['"14"', "14.5", "9007199254740992.0", "9007199254740993.0", "1e300", "true", "null"]
)
def test_an_integer_is_never_guessed(written: str) -> None:
    """A string, a fraction, or a float that may have been rounded is no id."""
    body = encoded(collection()).replace(b'"id": 14,', f'"id": {written},'.encode(), 1)

    with pytest.raises(DecodeError) as caught:
        full(body)

    assert "$.id" == caught.value.path


@given(st.integers(min_value=1, max_value=2**200))
def test_an_id_of_any_size_is_kept_to_the_digit(id_: int) -> None:
    """Ids beyond 2**53 come out as they went in, on both paths."""
    document = collection() | {"id": id_}

    assert id_ == full(encoded(document)).id
    assert id_ == full(encoded(old_revision(document))).id


@pytest.mark.parametrize("written", ["70", "70.0"])
def test_a_threshold_is_a_float_however_it_is_written(written: str) -> None:
    """A threshold written as 70 or as 70.0 is the float 70.0."""
    body = encoded(collection()).replace(b'"threshold": 70', f'"threshold": {written}'.encode())

    value = full(body).runs[0].threshold

    assert 70.0 == value
    assert isinstance(value, float)


def test_a_string_is_never_a_number() -> None:
    """A threshold in quotes is refused with its path, its text and its excerpt."""
    document = collection()
    document["runs"][0]["threshold"] = "70"

    with pytest.raises(DecodeError, match=r'^runs\[0\]\.threshold: expected a number, got a string: "70"$') as caught:
        full(encoded(document))

    assert ("$.runs[0].threshold", '"70"') == (caught.value.path, caught.value.excerpt)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('"0.000123"', "0.000123"),
        ("0.1", "0.1"),
        ("7", "7"),
        ("0.10000000000000000001", "0.10000000000000000001"),
        ("12345678901234567890.5", "12345678901234567890.5"),
    ],
)
@pytest.mark.parametrize("naive", [False, True], ids=["fast", "second"])
def test_a_cost_is_exact_as_string_or_number(written: str, expected: str, naive: bool) -> None:
    """A cost is the Decimal that was written, whichever path reads it."""
    document = collection()
    if naive:
        document["created_at"] = "2026-04-01T09:20:00"
    body = encoded(document).replace(b'"evaluation_cost": null', f'"evaluation_cost": {written}'.encode())

    assert Decimal(expected) == full(body).runs[0].evaluations[0].evaluation_cost


@pytest.mark.parametrize("written", ['"NaN"', '"Infinity"', '"-inf"', '"sNaN"', '"cheap"', "true"])
@pytest.mark.parametrize("naive", [False, True], ids=["fast", "second"])
def test_a_cost_that_is_not_finite_is_refused(written: str, naive: bool) -> None:
    """What Decimal takes and is no amount of money is a DecodeError with its path."""
    document = collection()
    if naive:
        document["created_at"] = "2026-04-01T09:20:00"
    body = encoded(document).replace(b'"evaluation_cost": null', f'"evaluation_cost": {written}'.encode())

    with pytest.raises(DecodeError) as caught:
        full(body)

    assert "$.runs[0].evaluations[0].evaluation_cost" == caught.value.path


def test_a_run_alone_is_checked_too() -> None:
    """A run that is fetched by itself has finite costs as well."""
    run = collection()["runs"][0]
    run["evaluations"][0]["evaluation_cost"] = "NaN"

    with pytest.raises(DecodeError) as caught:
        BodyDecoder(Run)(encoded(run))

    assert "$.evaluations[0].evaluation_cost" == caught.value.path


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-04-01T09:20:00Z", datetime(2026, 4, 1, 9, 20, tzinfo=UTC)),
        ("2026-04-01T09:20:00+02:00", datetime(2026, 4, 1, 9, 20, tzinfo=timezone(timedelta(hours=2)))),
        ("2026-04-01 09:20:00-0530", datetime(2026, 4, 1, 14, 50, tzinfo=UTC)),
        ("2026-04-01T09:20:00.123456Z", datetime(2026, 4, 1, 9, 20, 0, 123456, tzinfo=UTC)),
        ("2026-04-01T09:20:00.123456789Z", datetime(2026, 4, 1, 9, 20, 0, 123457, tzinfo=UTC)),
        ("2026-12-31T23:59:59.9999999", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2026-04-01T09:20:00", datetime(2026, 4, 1, 9, 20, tzinfo=UTC)),
        ("2026-04-01T09:20:00.5", datetime(2026, 4, 1, 9, 20, 0, 500000, tzinfo=UTC)),
    ],
)
def test_a_timestamp_is_aware_however_it_is_written(written: str, expected: datetime) -> None:
    """Offsets are kept, no offset means UTC, and nanoseconds are rounded to microseconds."""
    value = full(encoded(collection() | {"created_at": written})).created_at

    assert expected == value
    assert value.tzinfo is not None


@pytest.mark.parametrize("written", ["2026-04-01", "yesterday", "", 1_775_000_000, 1.5])
def test_what_is_no_timestamp_is_refused(written: object) -> None:
    """A date alone, a word and an epoch are no timestamps of this service."""
    with pytest.raises(DecodeError) as caught:
        full(encoded(collection() | {"created_at": written}))

    assert "$.created_at" == caught.value.path


@pytest.mark.parametrize("field", ["id", "datasets", "runs"])
def test_what_would_lose_records_is_never_a_default(field: str) -> None:
    """A missing id or list is a DecodeError, never an empty collection."""
    document = collection()
    del document[field]

    with pytest.raises(DecodeError, match=field):
        full(encoded(document))


@pytest.mark.parametrize("field", ["items", "meta"])
def test_a_page_without_items_or_meta_is_refused(field: str) -> None:
    """A page must say what it holds and where it stands."""
    document = listing()
    del document[field]

    with pytest.raises(DecodeError, match=field):
        page(encoded(document))


def test_a_run_without_evaluations_is_refused() -> None:
    """A full run must say which evaluations it has, even when there are none."""
    document = collection()
    del document["runs"][0]["evaluations"]

    with pytest.raises(DecodeError) as caught:
        full(encoded(document))

    assert "$.runs[0]" == caught.value.path


@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-(2**53), 2**53)
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=10,
        ),
    )
)
def test_free_form_objects_are_the_same_on_both_paths(metadata: dict[str, object]) -> None:
    """Whatever a metric left behind comes out as it went in, whichever path reads it."""
    document = collection()
    document["runs"][0]["evaluations"][0]["eval_metadata"] = metadata

    fast = full(encoded(document)).runs[0].evaluations[0].eval_metadata
    second = full(encoded(document | {"created_at": "2026-04-01T09:20:00"})).runs[0].evaluations[0].eval_metadata

    assert metadata == fast
    assert json.dumps(fast, sort_keys=True) == json.dumps(second, sort_keys=True)


@pytest.mark.parametrize(
    ("bend", "path"),
    [
        ({"user": 7}, "$.user"),
        ({"user": 7.5}, "$.user"),
        ({"datasets": 1.5}, "$.datasets"),
        ({"runs": {"a": 1}}, "$.runs"),
        ({"name": 1.5}, "$.name"),
        ({"created_at": None}, "$.created_at"),
    ],
)
def test_a_wrong_type_is_named_by_its_path(bend: dict[str, object], path: str) -> None:
    """A value of the wrong type is refused at its own path, also when the second path has read it."""
    with pytest.raises(DecodeError) as caught:
        full(encoded(collection() | bend))

    assert path == caught.value.path


class Row(msgspec.Struct):
    """A Struct of a caller's."""

    id: int


def test_a_type_of_the_callers_is_decoded_strictly() -> None:
    """The second path is for this package's models; a caller's own type means what it says."""
    decoder = Decoders().of(Row)

    assert Row(1) == decoder(b'{"id":1}')
    with pytest.raises(DecodeError, match="expected an integer, got a number"):
        decoder(b'{"id":1.0}')


def test_bytes_give_the_body_itself() -> None:
    """Asking for bytes gives the body, whatever it holds."""
    assert b"\xff<html>" == Decoders().of(bytes)(bytearray(b"\xff<html>"))


def test_a_decoder_is_built_once_for_a_type() -> None:
    """The same type gives the same decoder within one client."""
    decoders = Decoders()

    assert decoders.of(Row) is decoders.of(Row)


@pytest.mark.parametrize("type_", [int | bytes | float | Row | dict, 7, "int", [int], {}])
def test_a_type_that_cannot_be_decoded_is_refused(type_: Any) -> None:
    """A type that msgspec cannot fill, or what is no type, is an InvalidArgumentError that names the argument."""
    with pytest.raises(InvalidArgumentError, match="^type cannot be decoded"):
        Decoders().of(type_)
