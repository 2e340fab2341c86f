"""The live source: everything once, then what changes; an outage takes nothing away."""

import asyncio
import socket
import threading

import msgspec
import pytest

from aegis_async import AegisClient, Cache, RetryPolicy
from aegis_async.dashboard import CollectionFacts, LiveSource, _live
from aegis_async.dashboard._facts import facts_of
from aegis_async.errors import ConfigurationError, NotFoundError
from aegis_async.models import DataCollection
from aegis_async.sandbox import Sandbox
from tests.conftest import FakeClock
from tests.dashboard.serving import renewed, settled


async def test_it_reads_everything_once(live: LiveSource, sandbox: Sandbox) -> None:
    """Each collection is asked for once, and all of them are in the book."""
    asked = [r.path for r in sandbox.requests if r.path.startswith("/data-collections/")]

    assert {f"/data-collections/{i}" for i in range(1, 21)} == set(asked)
    assert 20 == len(asked)
    assert set(range(1, 21)) == {facts.id for facts in live.book()}


async def test_a_change_is_read_anew(quick: LiveSource, sandbox: Sandbox) -> None:
    """A run that was added is in the numbers, under another version, and no other collection was fetched."""
    before = {facts.id: len(facts.runs) for facts in quick.book()}
    sandbox.clear_requests()

    sandbox.change(3)
    await renewed(quick, quick.state().version)

    after = {facts.id: len(facts.runs) for facts in quick.book()}
    assert before | {3: before[3] + 1} == after
    # The listing that told of it may have been asked for before the requests were cleared.
    assert {"/data-collections/3"} == {request.path for request in sandbox.requests} - {"/data-collections"}


async def test_collections_come_and_go(quick: LiveSource, sandbox: Sandbox) -> None:
    """What is added appears, and what is deleted is gone."""
    version = quick.state().version
    sandbox.delete(5)
    added = sandbox.add()
    while {facts.id for facts in quick.book()} != ({*range(1, 21)} - {5}) | {added}:
        version = (await renewed(quick, version)).version

    with pytest.raises(NotFoundError):
        await quick.collection(5)


async def test_the_drill_down_never_shows_less_than_the_overview(quick: LiveSource, sandbox: Sandbox) -> None:
    """A copy in the cache from before a change is not shown once the change is known."""
    before = await quick.collection(3)
    sandbox.change(3)
    await renewed(quick, quick.state().version)

    after = await quick.collection(3)

    assert len(before.facts.runs) + 1 == len(after.facts.runs)
    assert not after.stale


async def test_all_tabs_share_one_new_copy(quick: LiveSource, sandbox: Sandbox) -> None:
    """When every tab asks at once for what has changed, the service is asked once."""
    await quick.collection(3)
    sandbox.change(3)
    await renewed(quick, quick.state().version)
    sandbox.clear_requests()

    found = await asyncio.gather(*(quick.collection(3) for _ in range(50)))

    assert not any(each.stale for each in found)
    assert 1 == [request.path for request in sandbox.requests].count("/data-collections/3")


async def test_an_old_copy_is_shown_as_such_when_the_service_is_down(quick: LiveSource, sandbox: Sandbox) -> None:
    """What was answered before the outage is answered in it, marked as stale where it is known to be old."""
    await quick.collection(3)
    await quick.collection(4)
    sandbox.change(3)
    await renewed(quick, quick.state().version)
    sandbox.fail(status=503, times=None)

    changed, unchanged = await quick.collection(3), await quick.collection(4)

    assert changed.stale
    assert not unchanged.stale


async def test_an_outage_is_told_and_its_end_too(quick: LiveSource, sandbox: Sandbox) -> None:
    """The state goes down with a sentence that tells no address, keeps the numbers, and comes up again."""
    sandbox.fail(status=503, times=None)
    down = await settled(quick, "down")
    sandbox.clear_faults()
    up = await settled(quick)

    assert "The service answers with an error (503)." == down.problem
    assert (None, 20) == (down.ping, down.collections)
    assert down.age is not None
    assert up.problem is None


async def test_what_cannot_be_read_is_stale_until_it_can(sandbox: Sandbox, caching: AegisClient) -> None:
    """A collection whose answer fails is asked for again; the others are there, and the state says that one is not."""
    async with LiveSource(caching, interval=0.05) as live:
        await settled(live)
        sandbox.fail("/data-collections/3", status=500, times=None)
        sandbox.change(3)
        while live.state().status != "stale":
            await live.bell.next().wait()
        pending = live.state().pending
        sandbox.clear_faults()
        healed = await settled(live)

    assert 1 == pending
    assert 0 == healed.pending


async def test_what_cannot_be_read_from_the_start_is_no_reason_to_hurry(
    sandbox: Sandbox, caching: AegisClient, clock: FakeClock
) -> None:
    """While one collection fails, the service is looked at as often as ever, and not until all of them are there."""
    clock.hold = asyncio.Event()
    sandbox.fail("/data-collections/3", status=500, times=None)
    live = LiveSource(caching)
    live._clock = clock.as_clock()

    async with live:
        while live.state().status != "stale" or len(tuple(live.book())) < 19:
            await live.bell.next().wait()
        while len(clock.alarms) < 2:
            await asyncio.sleep(0)

    assert {10.0} == set(clock.alarms)


async def test_a_listing_that_cannot_be_read_is_stale(
    monkeypatch: pytest.MonkeyPatch, quick: LiveSource, sandbox: Sandbox
) -> None:
    """Where the listing fails, nothing poses as live, though pings and single collections are answered."""
    monkeypatch.setattr(AegisClient, "ping", answered)
    sandbox.fail("/data-collections", status=503, times=None)
    stale = await settled(quick, "stale")
    found = await quick.collection(3)
    sandbox.clear_faults()
    healed = await settled(quick)

    assert "Changes are not seen at present. The service answers with an error (503)." == stale.problem
    assert stale.age is not None
    assert (0.001, 3) == (stale.ping, found.facts.id)
    assert healed.problem is None


async def answered(_: AegisClient) -> float:
    """Stand in for a ping that the service answers."""
    return 0.001


async def test_one_that_cannot_be_read_holds_up_no_other(
    sandbox: Sandbox, caching: AegisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change elsewhere is shown while the failed one waits to be asked for again."""

    async def never(_: LiveSource) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(LiveSource, "_try_again", never)
    async with LiveSource(caching, interval=0.05) as live:
        await settled(live)
        before = {facts.id: len(facts.runs) for facts in live.book()}
        sandbox.fail("/data-collections/3", status=500, times=None)
        sandbox.change(3)
        while live.state().status != "stale":
            await live.bell.next().wait()
        sandbox.change(4)
        while {facts.id: len(facts.runs) for facts in live.book()} != before | {4: before[4] + 1}:
            await live.bell.next().wait()

        assert ("stale", 1) == (live.state().status, live.state().pending)


async def test_one_that_is_removed_while_it_is_read_does_not_come_back(
    quick: LiveSource, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read of a collection before its end is dropped when the end was seen meanwhile."""
    loop, removed = asyncio.get_running_loop(), threading.Event()

    def remove() -> None:
        quick._forget(3)
        removed.set()

    def reduced(collection: DataCollection) -> CollectionFacts:
        if collection.id == 3:
            loop.call_soon_threadsafe(remove)
            removed.wait()
        return facts_of(collection)

    monkeypatch.setattr(_live, "facts_of", reduced)
    sandbox.change(3)
    while not removed.is_set():
        await quick.bell.next().wait()
    added = sandbox.add()
    while added not in {facts.id for facts in quick.book()}:  # it is read after the other one
        await quick.bell.next().wait()

    assert 3 not in {facts.id for facts in quick.book()}


async def test_a_refused_key_is_told(sandbox: Sandbox) -> None:
    """A wrong key is a state of its own words, not an endless loading."""
    wrong = "sk_00000000000000000000000000000000"
    async with (
        AegisClient(wrong, base_url=sandbox.url, retry=RetryPolicy(max_attempts=1)) as client,
        LiveSource(client) as live,
    ):
        state = await settled(live, "down")

    assert "The service refuses the key." == state.problem
    assert wrong not in str(state)


async def test_a_refusal_in_between_loses_no_change(quick: LiveSource, sandbox: Sandbox) -> None:
    """A 401 ends the reading of many at once; what it left unread is read when the key is taken again."""
    before = {facts.id: len(facts.runs) for facts in quick.book()}
    sandbox.fail("/data-collections/[34]", status=401, times=2)
    sandbox.change(3)
    sandbox.change(4)

    while {facts.id: len(facts.runs) for facts in quick.book()} != before | {3: before[3] + 1, 4: before[4] + 1}:
        await quick.bell.next().wait()

    assert 0 == quick.state().pending


async def test_an_empty_account_is_live() -> None:
    """No collection is a finished reading, not a loading without end."""
    async with (
        Sandbox(collections=0) as empty,
        AegisClient(empty.api_key, base_url=empty.url) as client,
        LiveSource(client) as live,
    ):
        state = await settled(live)

    assert (0, 0, None) == (state.collections, state.pending, state.cache)


async def test_an_answer_that_makes_no_sense_is_told(sandbox: Sandbox, caching: AegisClient) -> None:
    """A listing that contradicts itself is a problem to be seen."""
    async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
        page = msgspec.json.decode(await client.fetch("/data-collections", bytes, {"page_size": 10}))
    page["meta"]["next_page"] = 1
    sandbox.fail("/data-collections", body=msgspec.json.encode(page), times=None)

    async with LiveSource(caching) as live:
        state = await settled(live, "down")

    assert "The service answers in a way that cannot be read." == state.problem


def test_an_interval_is_above_zero(caching_free: AegisClient) -> None:
    """Nobody polls without pause."""
    with pytest.raises(ConfigurationError, match="interval must be more than zero"):
        LiveSource(caching_free, interval=0)


@pytest.fixture
def caching_free() -> AegisClient:
    return AegisClient("sk_00000000000000000000000000000000", base_url="http://127.0.0.1:9", cache=Cache())


async def test_a_silent_service_is_told(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, caching: AegisClient
) -> None:
    """A service that takes requests and answers none is down after the ping's deadline, not after every timeout."""
    monkeypatch.setattr(_live, "_PING_DEADLINE", 0.05)
    sandbox.fail(delay=float("inf"), times=None)
    async with LiveSource(caching) as live:
        state = await settled(live, "down")

    assert "The service does not answer in time." == state.problem


async def test_a_service_that_is_gone_is_told() -> None:
    """A port where nobody listens cannot be reached, and nothing was ever known."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    key = "sk_00000000000000000000000000000000"
    async with (
        AegisClient(key, base_url=url, retry=RetryPolicy(max_attempts=1)) as client,
        LiveSource(client) as live,
    ):
        state = await settled(live, "down")

    assert ("The service cannot be reached.", None) == (state.problem, state.age)


async def test_a_collection_that_vanishes_while_it_is_read_is_none(sandbox: Sandbox, caching: AegisClient) -> None:
    """A 404 on an id that was just listed takes it out of the numbers."""
    sandbox.fail("/data-collections/7", status=404, times=None)
    async with LiveSource(caching, interval=0.05) as live:
        sandbox.delete(8)
        while live.state().pending or len(tuple(live.book())) < 18:
            await live.bell.next().wait()

        assert set(range(1, 21)) - {7, 8} == {facts.id for facts in live.book()}


async def test_an_old_copy_is_no_answer_to_a_404(quick: LiveSource, sandbox: Sandbox) -> None:
    """What is gone is gone, also where a copy of it is known."""
    await quick.collection(3)
    sandbox.change(3)
    await renewed(quick, quick.state().version)
    sandbox.fail("/data-collections/3", status=404, times=None)

    with pytest.raises(NotFoundError):
        await quick.collection(3)
