"""Claims about the plan of a read: which ids, in which parts, at which rate, and what an unproven listing does."""

import logging
from collections.abc import Callable

import msgspec
import pytest

from aegis_async._spark._options import Options
from aegis_async._spark._planning import parts, planned, rate_of_each
from aegis_async._spark._selection import Condition
from aegis_async.errors import AuthenticationError, ExportError
from aegis_async.sandbox import Sandbox


def only_page(*items: dict[str, object], total: int) -> bytes:
    """Give a listing of one page that counts so many items."""
    meta = {
        "current_page": 1,
        "page_size": 100,
        "total_items": total,
        "items_on_page": len(items),
        "total_pages": 1,
        "has_next": False,
        "has_previous": False,
        "next_page": None,
        "previous_page": None,
    }
    return msgspec.json.encode({"items": items, "meta": meta})


@pytest.mark.parametrize(
    ("number", "wanted", "sizes"),
    [
        (0, None, [0]),
        (0, 4, [0]),
        (1, None, [1]),
        (100, None, [100]),
        (101, None, [50, 51]),
        (10, 3, [3, 3, 4]),
        (2, 4, [1, 1]),
        (100_000, None, [500] * 200),
    ],
)
def test_parts_are_ranges_of_equal_size(number: int, wanted: int | None, sizes: list[int]) -> None:
    """Together they are all ids in order, and none is empty unless there is nothing at all."""
    ids = range(number)

    cut = parts(ids, wanted)

    assert sizes == list(map(len, cut))
    assert list(ids) == [id_ for part in cut for id_ in part]


@pytest.mark.parametrize(
    ("partitions", "parallelism", "expected"), [(4, None, 10.0), (4, "2", 20.0), (2, "8", 20.0), (1, None, 40.0)]
)
async def test_the_rate_is_divided_among_what_runs_at_once(
    options: Callable[..., Options], partitions: int, parallelism: str | None, expected: float
) -> None:
    """All partitions that run together make as many requests as the whole read may."""
    more = {} if parallelism is None else {"parallelism": parallelism}

    assert expected == rate_of_each(options(rate_limit="40", **more), partitions)


async def test_without_a_rate_there_is_none_to_divide(options: Callable[..., Options]) -> None:
    """No limit stays no limit."""
    assert rate_of_each(options(), 4) is None


async def test_the_plan_has_every_id_of_the_listing(sandbox: Sandbox, options: Callable[..., Options]) -> None:
    """Whatever the size of a page, all ids are there, each once."""
    assert list(range(1, 21)) == await planned(options(page_size="3"), ())
    assert {"3"} == {request.query["page_size"] for request in sandbox.requests[:1]}


async def test_a_page_may_be_larger_than_a_collection_that_is_sliced(options: Callable[..., Options]) -> None:
    """``stream_above`` is about the body of one collection, and no limit for the listing."""
    assert 20 == len(await planned(options(stream_above="1"), ()))


async def test_a_range_is_cut_out_of_the_listing(options: Callable[..., Options]) -> None:
    """The service knows no ranges, so all is listed, and less is planned."""
    assert [18, 19, 20] == await planned(options(), (Condition(">", 17),))


async def test_ids_that_are_named_need_no_listing(sandbox: Sandbox, options: Callable[..., Options]) -> None:
    """One item is asked for, to see that the service answers this key, and no page more."""
    assert [3, 99] == await planned(options(), (Condition("in", frozenset({99, 3})),))
    assert [{"page": "1", "page_size": "1"}] == [request.query for request in sandbox.requests]


async def test_a_refused_key_is_no_empty_table(sandbox: Sandbox) -> None:
    """Where ids are named too, the service must have taken the key before anything is planned."""
    options = Options.of({"table": "runs", "token": "sk_wrong_0123456789", "base_url": sandbox.url})

    with pytest.raises(AuthenticationError):
        await planned(options, (Condition("in", frozenset({3})),))


async def test_what_is_shared_is_for_the_listing_to_say(sandbox: Sandbox, options: Callable[..., Options]) -> None:
    """With ``shared`` a named id is read only if the listing has it: the endpoint of one collection does not tell."""
    assert [3] == await planned(options(shared="true"), (Condition("in", frozenset({1, 3})),))
    assert {"true"} == {request.query["shared"] for request in sandbox.requests}


async def test_an_empty_account_has_no_ids(options: Callable[..., Options], sandbox: Sandbox) -> None:
    """It is read without an error."""
    for id_ in range(1, 21):
        sandbox.delete(id_)

    assert [] == await planned(options(), ())


async def test_an_unproven_listing_ends_the_read(sandbox: Sandbox, options: Callable[..., Options]) -> None:
    """A listing that counts more than it shows may lack something: an error by default, which names the way out."""
    sandbox.fail("/data-collections", body=only_page({"id": 5}, total=2), times=None)

    with pytest.raises(ExportError, match="not proven complete: no two of .* sweeps .* on_incomplete=warn reads what"):
        await planned(options(), ())


async def test_an_unproven_listing_may_be_read(
    sandbox: Sandbox, options: Callable[..., Options], caplog: pytest.LogCaptureFixture
) -> None:
    """With ``on_incomplete=warn`` what it showed is read, and the log says that it may not be all."""
    sandbox.fail("/data-collections", body=only_page({"id": 5}, total=2), times=None)

    with caplog.at_level(logging.WARNING, "aegis_async"):
        assert [5] == await planned(options(on_incomplete="warn"), ())

    assert "the listing is not proven complete: no two of" in caplog.text


async def test_an_item_without_an_id_is_no_complete_listing(sandbox: Sandbox, options: Callable[..., Options]) -> None:
    """What nobody can ask for is missing from the table, so the read ends unless it may go on."""
    sandbox.fail("/data-collections", body=only_page({"id": 5}, {"name": "nameless"}, total=2), times=None)

    with pytest.raises(ExportError, match="not proven complete: 1 of its items show no id"):
        await planned(options(), ())
