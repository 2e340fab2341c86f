"""Keys, parameters, pages and routes: that the sandbox behaves as the service's page says."""

import json
import math
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aegis_async.sandbox import Sandbox
from aegis_async.sandbox._account import Account
from aegis_async.sandbox._service import Question, answer

ORGANIZATION_MISSING = "User is not a member of an organization"


@pytest.mark.parametrize(
    ("path", "location", "kind", "given"),
    [
        ("/data-collections?page=0", ["query", "page"], "greater_than_equal", "0"),
        ("/data-collections?page=-1", ["query", "page"], "greater_than_equal", "-1"),
        ("/data-collections?page=", ["query", "page"], "int_parsing", ""),
        ("/data-collections?page=1.5", ["query", "page"], "int_parsing", "1.5"),
        ("/data-collections?page=%D9%A1", ["query", "page"], "int_parsing", "\u0661"),
        ("/data-collections?page_size=0", ["query", "page_size"], "greater_than_equal", "0"),
        ("/data-collections?page_size=10001", ["query", "page_size"], "less_than_equal", "10001"),
        ("/data-collections?shared=True%20", ["query", "shared"], "bool_parsing", "True "),
        ("/data-collections?shared=null", ["query", "shared"], "bool_parsing", "null"),
        ("/data-collections/0", ["path", "data_collection_id"], "greater_than_equal", "0"),
        ("/data-collections/fourteen", ["path", "data_collection_id"], "int_parsing", "fourteen"),
        ("/runs/0", ["path", "run_id"], "greater_than_equal", "0"),
        ("/datasets?page=x", ["query", "page"], "int_parsing", "x"),
    ],
)
async def test_a_parameter_out_of_its_bounds_is_named(  # noqa: PLR0917 - one column each
    path: str, location: list[str], kind: str, given: str, steady: Sandbox, ask: Any
) -> None:
    """A 422 says which parameter, what is wrong with it, and what was given."""
    reply = await ask(steady, path)

    assert 422 == reply.status
    [problem] = reply.json["detail"]
    assert (location, kind, given) == (problem["loc"], problem["type"], problem["input"])
    assert problem["msg"].startswith("Input should be")


async def test_all_bad_parameters_are_named_at_once(steady: Sandbox, ask: Any) -> None:
    """Three wrong parameters are three entries."""
    reply = await ask(steady, "/data-collections?page=0&page_size=x&shared=perhaps")

    assert ["page", "page_size", "shared"] == [problem["loc"][1] for problem in reply.json["detail"]]


async def test_a_number_of_five_thousand_digits_is_refused(steady: Sandbox, ask: Any) -> None:
    """A number too long to read is a 422 like any other text."""
    reply = await ask(steady, f"/data-collections?page={'9' * 5_000}")

    assert (422, "int_parsing") == (reply.status, reply.json["detail"][0]["type"])


async def test_the_key_is_looked_at_before_the_parameters(steady: Sandbox, ask: Any) -> None:
    """A wrong key with a wrong page is a 401."""
    reply = await ask(steady, "/data-collections?page=0", key="sk_wrong")

    assert (401, {"detail": "Invalid API key"}) == (reply.status, reply.json)


@pytest.mark.parametrize(
    ("method", "path", "status", "detail"),
    [
        ("GET", "/data-collections/61", 404, "Data collection not found"),
        ("GET", "/data-collections/99999999999999999999", 404, "Data collection not found"),
        ("GET", "/runs/9999999", 404, "Run not found"),
        ("GET", "/nothing", 404, "Not Found"),
        ("GET", "/data-collections/", 404, "Not Found"),
        ("GET", "/data-collections/1%2F..%2F2", 404, "Not Found"),
        ("POST", "/data-collections", 405, "Method Not Allowed"),
        ("DELETE", "/data-collections/1", 405, "Method Not Allowed"),
    ],
)
async def test_what_is_not_there_is_refused_with_one_sentence(  # noqa: PLR0917 - one column each
    method: str, path: str, status: int, detail: str, steady: Sandbox, ask: Any
) -> None:
    """Unknown ids, routes and methods have FastAPI's bodies."""
    reply = await ask(steady, path, method=method)

    assert (status, {"detail": detail}) == (reply.status, reply.json)


async def test_a_405_names_the_allowed_method(steady: Sandbox, ask: Any) -> None:
    """The Allow header says what would have been right."""
    reply = await ask(steady, "/data-collections", method="PUT")

    assert "GET" == reply.headers["Allow"]


async def test_the_default_page_has_ten_items(steady: Sandbox, ask: Any) -> None:
    """Without parameters the first ten collections come."""
    reply = await ask(steady, "/data-collections")

    assert list(range(1, 11)) == [item["id"] for item in reply.json["items"]]
    assert 10 == reply.json["meta"]["page_size"]


@settings(max_examples=60, deadline=None)
@given(count=st.integers(0, 45), page=st.integers(1, 12), page_size=st.integers(1, 50))
def test_every_page_is_the_right_slice_and_its_meta_agrees(count: int, page: int, page_size: int) -> None:
    """Whatever the page and its size, items and meta say what the account amounts to."""
    question = Question("GET", "/data-collections", {"page": str(page), "page_size": str(page_size)}, "Bearer key")

    given_page = json.loads(b"".join(answer(Account(count, 0), {"key": True}, question).body))

    pages = math.ceil(count / page_size)
    ids = list(range(1, count + 1))[(page - 1) * page_size : page * page_size]
    assert ids == [item["id"] for item in given_page["items"]]
    assert {
        "current_page": page,
        "page_size": page_size,
        "total_items": count,
        "items_on_page": len(ids),
        "total_pages": pages,
        "has_next": page < pages,
        "has_previous": page > 1,
        "next_page": page + 1 if page < pages else None,
        "previous_page": page - 1 if page > 1 else None,
    } == given_page["meta"]


async def test_a_page_far_beyond_the_end_is_empty(steady: Sandbox, ask: Any) -> None:
    """No page number is too large: it has no items and no next page."""
    reply = await ask(steady, f"/data-collections?page={10**30}")

    assert (200, [], None) == (reply.status, reply.json["items"], reply.json["meta"]["next_page"])


@pytest.mark.parametrize("spelling", ["true", "True", "1", "on", "yes", "Y", "t"])
async def test_shared_true_lists_only_what_others_share(spelling: str, steady: Sandbox, ask: Any) -> None:
    """In any of FastAPI's spellings, true lists colleagues' collections and the organization's."""
    reply = await ask(steady, f"/data-collections?shared={spelling}")

    assert [3, 6, 13, 16, 23, 26, 33, 36, 43, 46] == [item["id"] for item in reply.json["items"]]
    assert 12 == reply.json["meta"]["total_items"]
    assert all(item["org_id"] is not None for item in reply.json["items"])


@pytest.mark.parametrize("spelling", ["false", "FALSE", "0", "off", "no", "n", "F"])
async def test_shared_false_lists_only_ones_own(spelling: str, steady: Sandbox, ask: Any) -> None:
    """In any of FastAPI's spellings, false lists the key's user's own collections."""
    reply = await ask(steady, f"/data-collections?page_size=60&shared={spelling}")

    assert 48 == len(reply.json["items"])
    assert {7} == {item["user"]["id"] for item in reply.json["items"]}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/data-collections/3?shared=true", 200),
        ("/data-collections/3?shared=false", 404),
        ("/data-collections/4?shared=true", 404),
        ("/data-collections/4?shared=false", 200),
        ("/runs/1?shared=true", 404),
        ("/runs/1?shared=false", 200),
    ],
)
async def test_shared_narrows_what_an_id_finds(path: str, status: int, steady: Sandbox, ask: Any) -> None:
    """By id too, a collection outside the asked view is not found."""
    reply = await ask(steady, path)

    assert status == reply.status


@pytest.mark.parametrize("path", ["/data-collections", "/data-collections/1", "/datasets", "/runs", "/runs/1"])
async def test_an_account_in_no_organization_cannot_ask_for_shared(path: str, steady: Sandbox, ask: Any) -> None:
    """The second 404 has a sentence of its own."""
    reply = await ask(steady, f"{path}?shared=true", key=steady.solo_api_key)

    assert (404, {"detail": ORGANIZATION_MISSING}) == (reply.status, reply.json)


async def test_an_account_in_no_organization_sees_its_own(steady: Sandbox, ask: Any) -> None:
    """Without ``shared`` it lists its own collections, and a colleague's is not found."""
    listing = await ask(steady, "/data-collections?page_size=60", key=steady.solo_api_key)
    other = await ask(steady, "/data-collections/3", key=steady.solo_api_key)

    assert 48 == listing.json["meta"]["total_items"]
    assert (404, {"detail": "Data collection not found"}) == (other.status, other.json)


@pytest.mark.parametrize("listing", ["datasets", "runs"])
async def test_the_other_listings_hold_what_the_collections_hold(listing: str, steady: Sandbox, ask: Any) -> None:
    """Datasets and runs, listed page by page, are those of the collections."""
    collections = (await ask(steady, "/data-collections?page_size=60")).json["items"]
    expected = sorted(row["id"] for one in collections for row in one[listing]) + [991] * (listing == "runs")

    first = (await ask(steady, f"/{listing}?page_size=40")).json
    pages = [
        (await ask(steady, f"/{listing}?page_size=40&page={page}")).json["items"]
        for page in range(1, first["meta"]["total_pages"] + 1)
    ]

    assert sorted(expected) == sorted(row["id"] for page in pages for row in page)
    assert len(expected) == first["meta"]["total_items"]


async def test_every_listed_run_is_found_by_its_id(steady: Sandbox, ask: Any) -> None:
    """A run by its id says what its row in the listing says."""
    rows = (await ask(steady, "/runs?page_size=30&page=2")).json["items"]

    for row in rows:
        found = (await ask(steady, f"/runs/{row['id']}")).json
        assert row == {name: found[name] for name in row}


async def test_the_last_of_two_equal_parameters_counts(steady: Sandbox, ask: Any) -> None:
    """As at the service, and as it is recorded."""
    reply = await ask(steady, "/data-collections?page=1&page=2")

    assert 2 == reply.json["meta"]["current_page"]
    assert {"page": "2"} == steady.requests[-1].query


async def test_each_answer_has_a_request_id_of_its_own(steady: Sandbox, ask: Any) -> None:
    """The x-request-id of two answers differs."""
    first, second = [await ask(steady, "/data-collections") for _ in range(2)]

    assert first.headers["x-request-id"] != second.headers["x-request-id"]


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [("gzip, deflate", "gzip"), ("br;q=1, gzip;q=0.5", "gzip"), ("gzip;q=0", None), ("identity", None), ("", None)],
)
async def test_a_body_is_compressed_when_asked_for(accepted: str, coding: str | None, steady: Sandbox) -> None:
    """Gzip is used when the client takes it, and the content is the same."""
    headers = {"Authorization": f"Bearer {steady.api_key}", "Accept-Encoding": accepted}
    async with aiohttp.ClientSession(headers=headers) as session:
        plain = await (await session.get(f"{steady.url}/data-collections/1")).json()
        response = await session.get(f"{steady.url}/data-collections/1")

        assert plain == await response.json()

    assert coding == response.headers.get("Content-Encoding")


async def test_a_small_body_is_not_compressed(steady: Sandbox, ask: Any) -> None:
    """Nothing is gained on an error of thirty bytes."""
    reply = await ask(steady, "/nothing")

    assert "Content-Encoding" not in reply.headers


async def test_outside_its_url_there_is_nothing(steady: Sandbox) -> None:
    """A path that misses the prefix is a 404, also without a key, and is recorded as it was sent."""
    root = steady.url.removesuffix("/api/v1")
    async with aiohttp.ClientSession() as session:
        statuses = [(await session.get(f"{root}{path}")).status for path in ("/", "/data-collections", "/api/v1")]

    assert [404, 404, 404] == statuses
    assert ["/", "/data-collections", ""] == [request.path for request in steady.requests[-3:]]
