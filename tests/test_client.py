"""Claims about the client's calls: what they give, what they send, and what they refuse."""

from typing import Any

import msgspec
import pytest

from aegis_async import AegisClient
from aegis_async.errors import (
    InvalidArgumentError,
    NotFoundError,
)
from aegis_async.models import DataCollection, DataCollectionSummary
from aegis_async.sandbox import Sandbox


class Row(msgspec.Struct):
    """A Struct of a caller's."""

    id: int
    name: str | None = None


async def test_the_listing_gives_every_summary(client: AegisClient) -> None:
    """Walking the listing gives each collection once, as a summary."""
    summaries = [summary async for summary in client.data_collections.list(page_size=7)]

    assert list(range(1, 21)) == [summary.id for summary in summaries]
    assert isinstance(summaries[0], DataCollectionSummary)


async def test_get_gives_the_whole_collection(client: AegisClient) -> None:
    """``get(14)`` gives the page's own example with its run and evaluation."""
    full = await client.data_collections.get(14)

    assert isinstance(full, DataCollection)
    assert 5001 == full.runs[0].evaluations[0].id


async def test_get_many_over_a_listing_gives_everything(client: AegisClient) -> None:
    """The design's own example: ids of a listing that is read ahead, fetched sixteen at a time."""
    ids = (summary.id async for summary in client.data_collections.list(page_size=5, prefetch=8))

    found = sorted([full.id async for full in client.data_collections.get_many(ids, concurrency=16)])

    assert list(range(1, 21)) == found


async def test_outcomes_keep_errors_with_their_ids(client: AegisClient) -> None:
    """Unknown and impossible ids are errors beside their ids, and nothing was sent for the impossible."""
    wanted: Any = [1, 999, 0, True, "../x"]

    outcomes = {str(o.id): o async for o in client.data_collections.get_many(wanted).outcomes()}

    assert isinstance(outcomes["999"].error, NotFoundError)
    assert all(isinstance(outcomes[bad].error, InvalidArgumentError) for bad in ("0", "True", "../x"))
    assert outcomes["1"].value is not None


@pytest.mark.parametrize(("shared", "sent"), [(None, None), (True, "true"), (False, "false")])
async def test_shared_is_sent_as_the_service_reads_it(
    shared: bool | None,
    sent: str | None,
    client: AegisClient,
    sandbox: Sandbox,
) -> None:
    """``shared`` goes out as true, false or not at all, on all three calls."""
    id_ = 3 if shared else 1  # at this seed 3 is a colleague's and 1 is one's own
    await client.data_collections.list(shared=shared).first()
    await client.data_collections.get(id_, shared=shared)
    await client.data_collections.get_many([id_], shared=shared).collect()

    assert [sent] * 3 == [request.query.get("shared") for request in sandbox.requests]


@pytest.mark.parametrize(
    "arguments",
    [
        {"page": 0},
        {"page": True},
        {"page": 1.0},
        {"page_size": 0},
        {"page_size": 10_001},
        {"page_size": "10"},
        {"max_pages": 0},
        {"prefetch": -1},
        {"shared": "true"},
        {"shared": 1},
    ],
    ids=str,
)
async def test_a_listing_refuses_what_cannot_be(
    arguments: dict[str, Any], client: AegisClient, sandbox: Sandbox
) -> None:
    """An argument outside its bounds is named, and nothing was sent."""
    with pytest.raises(InvalidArgumentError, match=f"^{next(iter(arguments))} must be"):
        _ = client.data_collections.list(**arguments)

    assert [] == sandbox.requests


@pytest.mark.parametrize("id_", [0, -1, True, 1.0, "14", "1/../../admin", None])
async def test_get_refuses_what_is_no_id(id_: Any, client: AegisClient, sandbox: Sandbox) -> None:
    """Nothing but a positive int is an id, so that none can reach another endpoint."""
    with pytest.raises(InvalidArgumentError, match="^id must be"):
        await client.data_collections.get(id_)

    assert [] == sandbox.requests


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"ids": [1], "concurrency": 0}, "concurrency"),
        ({"ids": [1], "concurrency": True}, "concurrency"),
        ({"ids": [1], "on_error": "ignore"}, "on_error"),
        ({"ids": [1], "shared": "x"}, "shared"),
        ({"ids": 7}, "ids"),
        ({"ids": "123"}, "ids"),
    ],
    ids=str,
)
async def test_get_many_refuses_what_cannot_be(arguments: dict[str, Any], name: str, client: AegisClient) -> None:
    """An argument outside its bounds is named before anything is fetched."""
    with pytest.raises(InvalidArgumentError, match=f"^{name} must be"):
        client.data_collections.get_many(**arguments)


async def test_fetch_reaches_an_endpoint_without_a_resource(client: AegisClient) -> None:
    """``fetch`` decodes one answer into a type of the caller's, or gives its bytes."""
    row = await client.fetch("/runs/1", Row)

    assert 1 == row.id
    assert row == msgspec.json.decode(await client.fetch("/runs/1", bytes), type=Row)


async def test_paginate_reaches_a_listing_without_a_resource(client: AegisClient, sandbox: Sandbox) -> None:
    """``paginate`` walks any listing that pages as the service does, with the caller's Struct or raw bytes."""
    rows = await client.paginate("/datasets", Row, page_size=5, params={"shared": False}).collect()
    raw = await client.paginate("/datasets", msgspec.Raw, page_size=50, params={"shared": False}).collect()

    assert [row.id for row in rows] == [msgspec.json.decode(item, type=Row).id for item in raw]
    assert {"page": "1", "page_size": "5", "shared": "false"} == dict(sandbox.requests[0].query)


async def test_paginate_leaves_repeats_out_by_a_key_of_the_callers(client: AegisClient) -> None:
    """A key of the caller's decides what is a repeat; None takes each item as its own."""
    by_name = await client.paginate("/datasets", Row, key=lambda row: row.name).collect()
    every = await client.paginate("/datasets", Row, key=None).collect()

    assert len({row.name for row in every}) == len(by_name) < len(every)


async def test_a_listing_under_inserts_gives_each_item_once(client: AegisClient, sandbox: Sandbox) -> None:
    """When a collection is added before the reader, the item pushed onto the next page is given once."""
    sandbox.drift(after_page=1, add_first=1)
    paginator = client.data_collections.list(page_size=5)

    ids = [summary.id async for summary in paginator]

    assert len(ids) == len(set(ids))
    assert 1 == paginator.stats.repeats


@pytest.mark.parametrize(
    "path",
    [
        "runs/1",
        "",
        "/",
        "//evil.example/x",
        "/../admin",
        "/a/./b",
        "/a//b",
        "/%2e%2e/admin",
        "/%252e%252e/x",
        "/a?b=1",
        "/a#b",
        "/a\\b",
        "/a%2f..%2fb",
        "/a%3fb",
        "/ä",
        "/a\nb",
        "/a%0d%0ab",
        7,
    ],
)
async def test_no_path_can_reach_another_endpoint(path: Any, client: AegisClient, sandbox: Sandbox) -> None:
    """A path is plain steps under the base URL; anything that could be more is refused before it is sent."""
    with pytest.raises(InvalidArgumentError, match="^path must"):
        await client.fetch(path, bytes)
    with pytest.raises(InvalidArgumentError, match="^path must"):
        _ = client.paginate(path, Row)

    assert [] == sandbox.requests


async def test_parameters_are_text_numbers_or_bools(client: AegisClient) -> None:
    """A parameter of another type, or one that has an argument of its own, is named."""
    with pytest.raises(InvalidArgumentError, match=r"^params\['x'\] must be text"):
        await client.fetch("/runs", bytes, {"x": [1]})  # type: ignore[dict-item]  # what is wrong is the point
    with pytest.raises(InvalidArgumentError, match="^params must not hold 'page'"):
        _ = client.paginate("/runs", Row, params={"page": 2})


@pytest.mark.parametrize("params", ["a=1", [("a", 1)], 7], ids=str)
async def test_parameters_are_a_mapping(params: Any, client: AegisClient, sandbox: Sandbox) -> None:
    """A query that is written out, or a list of pairs, is refused in both calls, and nothing was sent."""
    with pytest.raises(InvalidArgumentError, match="^params must be a mapping"):
        await client.fetch("/runs", bytes, params)
    with pytest.raises(InvalidArgumentError, match="^params must be a mapping"):
        _ = client.paginate("/runs", Row, params=params)

    assert [] == sandbox.requests


async def test_a_key_is_a_function_or_none(client: AegisClient) -> None:
    """The name of a field is no key, and that is said before anything is iterated."""
    with pytest.raises(InvalidArgumentError, match="^key must be callable or None, not 'id'$"):
        _ = client.paginate("/runs", Row, key="id")  # type: ignore[arg-type]  # what is wrong is the point
