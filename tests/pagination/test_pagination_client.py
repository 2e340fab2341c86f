"""Claims about a client's listings: their arguments, and how ids alone are read."""

from collections.abc import Container
from typing import Any, Generic, TypeVar

import msgspec
import pytest

from aegis_async import AegisClient, Cursor
from aegis_async._decode import Decoders
from aegis_async._pagination import Read
from aegis_async._resources._reading import Identified, Skimming, Timing, id_type_of, key_of
from aegis_async.errors import DecodeError, InvalidArgumentError, PaginationError
from aegis_async.models import DataCollectionSummary, Page
from aegis_async.sandbox import Sandbox

V = TypeVar("V")


class Row(msgspec.Struct):
    """A type of the caller's."""

    id: int
    name: str


class Renamed(msgspec.Struct, rename={"id": "key"}):
    """An item whose id has another name in the JSON."""

    id: int


class Listed(msgspec.Struct, array_like=True):
    """An item that is an array in the JSON."""

    id: int


class Boxed(msgspec.Struct, Generic[V]):
    """An item of a generic type."""

    id: str
    value: V


def queries(sandbox: Sandbox) -> list[tuple[str, str]]:
    """Give page and page_size of every request."""
    return [(request.query["page"], request.query["page_size"]) for request in sandbox.requests]


async def test_a_repair_proves_a_listing_of_the_service(client: AegisClient, sandbox: Sandbox) -> None:
    """Against a service that moved once, everything is given and known to be."""
    sandbox.drift(after_page=1, delete=[1], add=1)
    listing = client.data_collections.list(page_size=5, on_drift="repair")

    ids = [summary.id for summary in await listing.collect()]

    assert set(range(1, 22)) == set(ids)
    assert 6 == ids[-1]
    assert listing.report.complete
    assert [("1", "5"), ("2", "5"), ("3", "5"), ("4", "5"), ("1", "1000")] == queries(sandbox)


async def test_a_still_listing_is_agreed_upon(client: AegisClient) -> None:
    """Two sweeps that agree prove a listing of several pages."""
    listing = client.data_collections.list(page_size=8, on_drift="repair")

    assert 20 == len(await listing.collect())
    assert ("agreed", True, 2, 4) == (
        listing.report.evidence,
        listing.report.complete,
        listing.report.sweeps,
        listing.report.pages,
    )


async def test_the_default_warns(client: AegisClient, sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """Without a word of the caller's a listing that moved is logged as a warning of ``aegis_async``."""
    sandbox.drift(after_page=1, delete=[1])

    await client.data_collections.list(page_size=5).collect()

    assert [("aegis_async", "WARNING")] == [
        (record.name, record.levelname) for record in caplog.records if record.levelname != "DEBUG"
    ]


async def test_raise_is_an_error_of_the_listing(client: AegisClient, sandbox: Sandbox) -> None:
    """``on_drift="raise"`` ends with a PaginationError that carries the report."""
    sandbox.drift(after_page=2, add_first=1)

    with pytest.raises(PaginationError, match="^/data-collections moved") as caught:
        await client.data_collections.list(page_size=5, on_drift="raise").collect()

    assert caught.value.report is not None
    assert 10 == caught.value.report.items


async def test_raw_items_can_be_repaired(client: AegisClient, sandbox: Sandbox) -> None:
    """Bytes with a key of the caller's are told apart, given once, and proven complete."""
    sandbox.drift(after_page=1, delete=[1])
    ids = msgspec.json.Decoder(Identified[int])

    listing = client.paginate(
        "/data-collections", msgspec.Raw, page_size=5, on_drift="repair", key=lambda raw: ids.decode(raw).id
    )
    found = [ids.decode(raw).id for raw in await listing.collect()]

    assert [*range(1, 6), *range(7, 21), 6] == found
    assert listing.report.complete


async def test_count_is_one_small_request(client: AegisClient, sandbox: Sandbox) -> None:
    """``count()`` gives the service's own count after one request for one item."""
    assert 20 == await client.data_collections.list(page=3).count()
    assert [("1", "1")] == queries(sandbox)


async def test_awaiting_a_listing_gives_its_first_page(client: AegisClient, sandbox: Sandbox) -> None:
    """``await`` is one request, whatever is to be fetched ahead."""
    page = await client.data_collections.list(page=2, page_size=5, prefetch=4)

    assert [6, 7, 8, 9, 10] == [summary.id for summary in page.items]
    assert [("2", "5")] == queries(sandbox)


async def test_auto_page_size_begins_small(client: AegisClient, sandbox: Sandbox) -> None:
    """The first item is there after one page of 25."""
    await client.data_collections.list(page_size="auto").first()

    assert [("1", "25")] == queries(sandbox)


async def test_auto_page_size_gives_everything(client: AegisClient, sandbox: Sandbox) -> None:
    """Pages that are timed by a real clock give each item once, in order."""
    for _ in range(80):
        sandbox.add()

    listing = client.data_collections.list(page_size="auto", on_drift="raise")

    assert list(range(1, 101)) == [summary.id for summary in await listing.collect()]


async def test_a_cursor_brings_its_filter_and_size(client: AegisClient, sandbox: Sandbox) -> None:
    """``shared`` and the page size are the cursor's own."""
    listing = client.data_collections.list(page_size=2, shared=False)
    first = await listing.take(3)

    rest = await client.data_collections.list(cursor=Cursor.from_json(listing.cursor.to_json())).collect()

    assert [s.id for s in await client.data_collections.list(shared=False).collect()] == [s.id for s in first + rest]
    assert ("2", "2", "false") == (
        *queries(sandbox)[2],
        sandbox.requests[2].query["shared"],
    )


async def test_a_cursor_of_another_endpoint_goes_on_too(client: AegisClient) -> None:
    """``paginate`` goes on from a cursor, with the parameters given again."""
    params = {"shared": True}
    listing = client.paginate("/datasets", Row, page_size=2, params=params)
    first = await listing.take(1)

    rest = await client.paginate("/datasets", Row, cursor=listing.cursor, params=params).collect()

    assert listing.cursor.shared is True
    assert await client.paginate("/datasets", Row, params=params).collect() == first + rest


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"page_size": "all"}, "page_size must be an integer or 'auto'"),
        ({"page_size": "auto", "page": 2}, "page must be 1 with page_size='auto'"),
        ({"prefetch": "much"}, "prefetch must be an integer or 'auto'"),
        ({"prefetch": True}, "prefetch must be an integer"),
        ({"on_drift": "mend"}, "on_drift must be one of 'ignore', 'warn', 'raise', 'repair'"),
        ({"cursor": "{}"}, "cursor must be a Cursor, not str"),
        ({"cursor": Cursor(page=2), "page": 2}, "page must not be given with a cursor"),
        ({"cursor": Cursor(page=0)}, "cursor.page must be at least 1"),
        ({"cursor": Cursor(offset=-1)}, "cursor.offset must be at least 0"),
        ({"cursor": Cursor(page_size=10_001)}, "cursor.page_size must be between 1 and 10000"),
        ({"cursor": Cursor(shared=True), "shared": False}, "shared must be True or left out"),
        ({"cursor": Cursor(), "shared": True}, "shared must be left out"),
    ],
    ids=str,
)
async def test_what_cannot_be_is_refused(
    arguments: dict[str, Any], words: str, client: AegisClient, sandbox: Sandbox
) -> None:
    """An argument that cannot be is named before anything is sent."""
    with pytest.raises(InvalidArgumentError, match=f"^{words}"):
        _ = client.data_collections.list(**arguments)

    assert [] == sandbox.requests


async def test_a_repair_needs_a_key(client: AegisClient) -> None:
    """What cannot be told apart cannot be repaired, and that is said at once."""
    with pytest.raises(InvalidArgumentError, match="^on_drift must not be 'repair' without a key"):
        _ = client.paginate("/runs", msgspec.Raw, on_drift="repair")
    with pytest.raises(InvalidArgumentError, match="^on_drift must not be 'repair' without a key"):
        _ = client.paginate("/runs", Row, on_drift="repair", key=None)


@pytest.mark.parametrize(
    ("item_type", "expected"),
    [
        (DataCollectionSummary, int),
        (Row, int),
        (Boxed[int], str),
        (Renamed, None),
        (Listed, None),
        (msgspec.Raw, None),
        (dict, None),
    ],
)
def test_ids_are_read_alone_where_they_stand_alone(item_type: Any, expected: type | None) -> None:
    """An id of its documented name in an object is read without the rest; any other item is read in full."""
    assert expected == id_type_of(item_type)
    assert (key_of(item_type) is None) == (item_type in {msgspec.Raw, dict})


META = {
    "current_page": 1,
    "page_size": 2,
    "total_items": 2,
    "items_on_page": 2,
    "total_pages": 1,
    "has_next": False,
    "has_previous": False,
    "next_page": None,
    "previous_page": None,
}


def skimmed(items: object, known: Container[object]) -> Read[Row]:
    """Read a page of rows as far as is needed."""
    decoders = Decoders()
    skim = Skimming(decoders.of(Page[Row]), decoders.of(Page[Identified[int]]), key_of(Row), known)
    return skim(msgspec.json.encode({"items": items, "meta": META}))


@pytest.mark.parametrize("known", [(), {1}, {1, 2}])
async def test_a_page_in_pieces_is_skimmed_alike(known: Any) -> None:
    """A page too large for one piece is read as far as is needed too, and told the time of."""
    rows = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
    decoders = Decoders()
    skim = Skimming(decoders.of(Page[Row]), decoders.of(Page[Identified[int]]), key_of(Row), known)
    body = msgspec.json.encode({"items": rows, "meta": META})
    told: list[float] = []

    assert skim(body) == await skim.in_pieces(body)
    assert 2 == len((await Timing(decoders.of(Page[Row]), told.append).in_pieces(body)).items)
    assert 1 == len(told)


def test_known_ids_need_no_more() -> None:
    """Where each id is known the rest of an item is not looked at, not even for faults."""
    read = skimmed([{"id": 1, "name": "a"}, {"id": 2, "name": 7}], {1, 2})

    assert ([1, 2], None) == (read.keys, read.page)


def test_a_new_id_is_read_in_full() -> None:
    """One id that never came before is reason enough to decode the page."""
    read = skimmed([{"id": 1, "name": "a"}, {"id": 2, "name": "b"}], {1})

    assert read.page is not None
    assert (Row(1, "a"), Row(2, "b")) == read.page.items
    assert [1, 2] == read.keys


def test_what_ids_alone_do_not_explain_is_left_to_the_decoder() -> None:
    """A page whose ids cannot be read alone has the full decoder's error."""
    with pytest.raises(DecodeError, match=r"items\[1\]: object missing required field id"):
        skimmed([{"id": 1, "name": "a"}, {"name": "b"}], {1})


def test_decoding_is_timed_by_the_clock_that_is_given() -> None:
    """The seconds between begin and end of decoding are told, and the value is passed on."""
    times = iter([1.0, 1.25])
    told: list[float] = []

    assert b"x" == Timing(Decoders().of(bytes), told.append, lambda: next(times))(b"x")
    assert [0.25] == told
