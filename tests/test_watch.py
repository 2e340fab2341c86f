"""Claims about watching a listing: every change is told once, a removal only when it is sure, and outages pass."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from aegis_async import Added, AegisClient, Cache, Changed, Removed, RetryPolicy, WatchCursor
from aegis_async._resources import Watch
from aegis_async.errors import AuthenticationError, ClientClosedError, InvalidArgumentError, ServerError
from aegis_async.models import DataCollectionSummary
from aegis_async.sandbox import Sandbox
from tests.conftest import FakeClock
from tests.decode.documents import listing
from tests.session.wire import KEY, http, wire


@pytest.fixture
async def watcher(small: Sandbox, clock: FakeClock) -> AsyncIterator[AegisClient]:
    made = AegisClient(small.api_key, base_url=small.url, cache=Cache(), retry=RetryPolicy(max_attempts=1))
    made._session.clock = clock.as_clock()
    async with made:
        yield made


async def told(watch: Watch[DataCollectionSummary], count: int) -> list[Any]:
    """Give the next changes."""
    return [await anext(watch) for _ in range(count)]


async def test_at_first_everything_is_added(watcher: AegisClient) -> None:
    """A watch without a cursor begins with each collection that there is, with its summary."""
    changes = await told(watcher.data_collections.watch(), 3)

    assert {1, 2, 3} == {change.id for change in changes}
    assert all(isinstance(change, Added) and change.id == change.summary.id for change in changes)


async def test_each_change_is_told_once(small: Sandbox, watcher: AegisClient) -> None:
    """What is new, what differs and what is gone comes in the next poll, and not again."""
    watch = watcher.data_collections.watch()
    await told(watch, 3)

    new = small.add()
    small.change(2)
    small.delete(3)
    changes = await told(watch, 3)
    small.change(1)
    (last,) = await told(watch, 1)

    assert {(Added, new), (Changed, 2), (Removed, 3)} == {(type(change), change.id) for change in changes}
    assert (Changed, 1) == (type(last), last.id)


async def test_polls_are_an_interval_apart_with_jitter(small: Sandbox, watcher: AegisClient, clock: FakeClock) -> None:
    """With the highest draw the wait is a tenth longer, with the middle one as long as told."""
    watch = watcher.data_collections.watch(interval=20)
    await told(watch, 3)

    small.change(1)
    await told(watch, 1)
    clock.chance = 0.5
    small.change(1)
    await told(watch, 1)

    assert [pytest.approx(22.0), 20.0] == clock.sleeps


async def test_it_goes_on_through_an_outage(
    small: Sandbox, watcher: AegisClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Polls that fail are logged, and what changed meanwhile is told when the service is back."""
    watch = watcher.data_collections.watch()
    await told(watch, 3)

    small.fail(status=503, times=2)
    small.fail(reset=True)
    small.change(2)
    (change,) = await told(watch, 1)

    assert (Changed, 2) == (type(change), change.id)
    lines = [record.getMessage() for record in caplog.records if "watching" in record.getMessage()]
    assert 3 == len(lines)
    assert all(line.endswith("goes on in about 30 s") for line in lines)


async def test_it_pauses_with_its_client(small: Sandbox, watcher: AegisClient, clock: FakeClock) -> None:
    """A 429 that names a time holds the next poll too, though its interval has passed."""
    watch = watcher.data_collections.watch(interval=1)
    await told(watch, 3)
    small.clear_requests()

    small.fail(status=429, retry_after=7)
    small.change(2)
    (change,) = await told(watch, 1)

    assert 2 == change.id
    assert 2 == len(small.requests)
    assert clock.time >= 1 + 7


async def test_it_tells_how_far_it_may_be_behind(small: Sandbox, watcher: AegisClient, clock: FakeClock) -> None:
    """Its age is that of the last poll that succeeded; its failure is that of the latest one, if it failed."""
    watch = watcher.data_collections.watch(interval=20)
    before = (watch.age, watch.failure)
    await told(watch, 3)
    clock.hold = asyncio.Event()
    small.fail(status=503)
    small.change(2)

    step = asyncio.ensure_future(anext(watch))
    await waits(clock, 1)
    first, clock.hold = clock.hold, asyncio.Event()
    first.set()
    await waits(clock, 2)
    age, failure = watch.age, watch.failure
    clock.hold.set()
    await step

    assert (None, None) == before
    assert pytest.approx(22.0) == age
    assert isinstance(failure, ServerError)
    assert (0.0, None) == (watch.age, watch.failure)


async def waits(clock: FakeClock, count: int) -> None:
    """Let the loop turn until so many waits have begun."""
    while len(clock.sleeps) < count:
        await asyncio.sleep(0)


async def test_what_is_missing_is_removed_only_after_its_404(
    small: Sandbox, watcher: AegisClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A collection that leaves the listing and is still there under its id is not called gone."""
    watch = watcher.data_collections.watch()
    await told(watch, 3)

    small.delete(3)
    small.fail("/data-collections/3", status=403)
    small.change(1)
    first = await told(watch, 1)
    small.change(2)
    later = await told(watch, 2)

    assert [(Changed, 1)] == [(type(change), change.id) for change in first]
    assert {(Changed, 2), (Removed, 3)} == {(type(change), change.id) for change in later}
    assert "whether id 3 is gone is not known" in caplog.text


async def test_an_outage_between_listing_and_404_removes_nothing_yet(small: Sandbox, watcher: AegisClient) -> None:
    """When the id cannot be asked for, the removal waits for the next poll."""
    watch = watcher.data_collections.watch()
    await told(watch, 3)

    small.delete(3)
    small.fail("/data-collections/3", status=503)
    (change,) = await told(watch, 1)

    assert (Removed, 3) == (type(change), change.id)
    assert [503, 404] == [request.status for request in small.requests if request.path.endswith("/3")]


async def test_a_cursor_goes_on_where_another_process_stopped(small: Sandbox, watcher: AegisClient) -> None:
    """Only what changed since is told, and a change that was polled and not yet given is given again."""
    watch = watcher.data_collections.watch()
    given = await told(watch, 2)
    cursor = WatchCursor.from_json(watch.cursor.to_json())
    small.change(given[0].id)

    changes = await told(watcher.data_collections.watch(cursor=cursor), 2)

    missing = ({1, 2, 3} - {change.id for change in given}).pop()
    assert {(Changed, given[0].id), (Added, missing)} == {(type(change), change.id) for change in changes}


async def test_it_neither_reads_nor_fills_the_cache(small: Sandbox, watcher: AegisClient) -> None:
    """What is cached would hide a change."""
    await watcher.data_collections.list(page_size=1000).collect()
    small.change(1)

    changes = await told(watcher.data_collections.watch(), 3)

    assert watcher.cache is not None
    assert 1 == watcher.cache.stats().entries
    cached = await watcher.data_collections.list(page_size=1000).collect()
    assert {summary.id: summary for summary in cached} != {change.id: change.summary for change in changes}


async def test_a_refused_key_ends_it(small: Sandbox, watcher: AegisClient) -> None:
    """That is no outage: it would go on for ever."""
    small.fail(status=401)

    with pytest.raises(AuthenticationError):
        await told(watcher.data_collections.watch(), 1)


async def test_closing_ends_it(watcher: AegisClient) -> None:
    """Its own end ends the loop, the client's end is an error."""
    async with watcher.data_collections.watch() as watch:
        await told(watch, 1)
    assert [] == [change async for change in watch]

    other = watcher.data_collections.watch()
    await watcher.aclose()
    with pytest.raises(ClientClosedError):
        await told(other, 1)


async def test_a_summary_that_cannot_be_read_is_left_out_once(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The others are told, the log says why, and it is not said again while its bytes stay the same."""
    page = listing()
    bad, good = dict(page["items"][0]) | {"id": 1, "name": 7}, dict(page["items"][0]) | {"id": 2}
    page["meta"] |= {"total_items": 2, "items_on_page": 2, "total_pages": 1, "has_next": False, "next_page": None}
    bodies = [
        http(msgspec.json.encode(page | {"items": [bad, good]})),
        http(msgspec.json.encode(page | {"items": [bad, good | {"name": "new"}]})),
    ]
    async with wire(*bodies) as served, AegisClient(KEY, base_url=served.url) as client:
        client._session.clock = clock.as_clock()
        changes = await told(client.data_collections.watch(), 2)

    assert [(Added, 2), (Changed, 2)] == [(type(change), change.id) for change in changes]
    assert 1 == sum("id 1 is left out" in record.getMessage() for record in caplog.records)
    assert all(record.levelno == logging.WARNING for record in caplog.records if record.name == "aegis_async")


@pytest.mark.parametrize(("arguments", "name"), [({"interval": 0}, "interval"), ({"cursor": "x"}, "cursor")])
def test_what_cannot_be_is_refused(arguments: dict[str, Any], name: str) -> None:
    """The argument is named."""
    with pytest.raises(InvalidArgumentError, match=f"^{name}"):
        AegisClient(KEY).data_collections.watch(**arguments)


@pytest.mark.parametrize("text", ["", "{}", '{"seen": {"x": "y"}}', "[]"])
def test_a_text_that_is_no_cursor_is_refused(text: str) -> None:
    """It is the caller's own text, so it is an argument that cannot be."""
    with pytest.raises(InvalidArgumentError, match="^cursor"):
        WatchCursor.from_json(text)
