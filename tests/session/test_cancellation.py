"""Claims about cancelling a call: wherever it is, it ends at once and leaves nothing."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from aegis_async import AegisClient, RetryPolicy
from aegis_async.errors import RateLimitError
from aegis_async.sandbox import Sandbox
from tests.session.connecting import tls, trusting
from tests.session.test_faults import acquired
from tests.session.wire import HANG_UP, KEY, Answer, Wire, chunks, head, http, wire

MOST_TURNS: Final = 120  # of the loop, after which a story that waits is only waiting
TURNS_TO_END: Final = 30  # in which a cancelled call is gone
LONG: Final = RetryPolicy(max_attempts=3, initial=60, maximum=60)


async def one(client: AegisClient) -> object:
    """Ask for one answer, in a flight that others could share."""
    return await client.fetch("/x", bytes)


async def shared(client: AegisClient) -> object:
    """Ask for one answer twice at once."""
    return await asyncio.gather(one(client), one(client))


async def crowd(client: AegisClient) -> object:
    """Ask for several answers through one slot."""
    return await asyncio.gather(*(client.fetch(f"/{n}", bytes) for n in range(3)))


async def paused(client: AegisClient) -> object:
    """Be told to come back later, and come back at once."""
    with pytest.raises(RateLimitError):
        await client.with_options(retry=RetryPolicy(max_attempts=1)).fetch("/x", bytes)
    return await one(client)


async def listing(client: AegisClient) -> object:
    """Read a listing ahead, and fetch what it names."""
    ids = (summary.id async for summary in client.data_collections.list(page_size=3, prefetch=3))
    return await client.data_collections.get_many(ids, concurrency=3).collect()


@dataclass(frozen=True)
class Story:
    """What a call goes through until it is cancelled."""

    answers: tuple[Answer, ...]
    work: Callable[[AegisClient], Awaitable[object]] = one
    options: Mapping[str, Any] = field(default_factory=dict)


STORIES: Final = {
    "a get in a flight": Story((http(),)),
    "a get by itself": Story((http(),), options={"single_flight": False}),
    "a get that two wait for": Story((http(),), shared),
    "a body in pieces": Story(((head(Transfer_Encoding="chunked"), *[chunks(b"x" * 9)] * 9, b"0\r\n\r\n"),)),
    "a body that unpacks": Story((http(gzip.compress(bytes(2 << 20)), Content_Encoding="gzip"),)),
    "silence": Story((None,)),
    "half a body": Story(((http(b"1234")[:-2], None),)),
    "an error": Story((http(b"", "503 X"),), options={"retry": RetryPolicy(max_attempts=1)}),
    "a wait before the next attempt": Story((http(b"", "503 X"), http()), options={"retry": LONG}),
    "an attempt after a fault": Story((HANG_UP, http()), options={"retry": RetryPolicy(initial=0)}),
    "a Retry-After": Story((http(b"", "429 X", Retry_After="30"),), options={"retry": LONG}),
    "a pause of the client": Story((http(b"", "429 X", Retry_After="30"),), paused, {"single_flight": False}),
    "a queue at the gate": Story((http(), None), crowd, {"max_concurrency": 1}),
    "a rate": Story((http(),), crowd, {"rate_limit": 0.01}),
    "a redirect": Story((http(b"", "302 X", Location="/api/y"), http())),
    "a deadline": Story((None,), lambda client: one(client.with_options(deadline=60))),
}


async def gone(task: "asyncio.Future[object]") -> None:
    """Cancel a task, and give it a few turns of the loop."""
    task.cancel()
    for _ in range(TURNS_TO_END):
        if task.done():
            break
        await asyncio.sleep(0)
    assert task.done(), "a cancelled call goes on"
    assert task.cancelled() or task.exception() is None


async def cancelled_at(turn: int, client: AegisClient, story: Story) -> bool:
    """Cancel the story at that turn of the loop, and tell whether it was over before."""
    task = asyncio.ensure_future(story.work(client))
    for _ in range(turn):
        if task.done():
            break
        await asyncio.sleep(0)
    over = task.done()
    if over and story.options.get("retry") == RetryPolicy(max_attempts=1):
        task.exception()
        return True
    await gone(task)
    return over


def nothing_left(client: AegisClient) -> None:
    """Check that no slot is taken, nobody waits, and no connection is out."""
    stats = client.stats()
    assert (0, 0) == (stats.in_flight, stats.waiting)
    if client._session._loop is not None and client._session._transport._session is not None:
        assert 0 == acquired(client)


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("warm", [False, True], ids=["new", "kept"])
async def test_cancelling_at_any_turn_leaves_nothing(name: str, warm: bool) -> None:
    """Cancelled at each turn of the loop in its life, a call is gone at once, with its slot, waiters and connection."""
    story, over, turn = STORIES[name], False, 0
    while not over and turn < MOST_TURNS:
        before = asyncio.all_tasks()
        answers = (http(), *story.answers) if warm else story.answers
        async with wire(*answers) as served, AegisClient(KEY, base_url=served.url, **story.options) as client:
            if warm:
                await client.with_options(priority="bulk").fetch("/warm", bytes)
            over = await cancelled_at(turn, client, story)
            nothing_left(client)
        await settled(served)
        assert before == asyncio.all_tasks()
        turn += 1 if turn < 40 else 7  # by then it only waits, or repeats itself

    assert turn > 3


async def settled(served: Wire) -> None:
    """Give the server's own tasks the turns that they need to end."""
    assert 0 == served.open
    for _ in range(5):
        await asyncio.sleep(0)


async def test_cancelling_a_pipeline_at_any_turn_leaves_nothing() -> None:
    """A listing read ahead into a fan-out is gone at once, cancelled at whatever turn."""
    with Sandbox(collections=10) as sandbox:
        over, turn = False, 0
        while not over and turn < 2000:
            before = asyncio.all_tasks()
            async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
                over = await cancelled_at(turn, client, Story((), listing))
                nothing_left(client)
            for _ in range(5):
                await asyncio.sleep(0)
            assert before == asyncio.all_tasks()
            turn += 1 if turn < 20 else turn // 4


async def test_cancelling_a_handshake_at_any_turn_leaves_nothing() -> None:
    """While TLS is being agreed upon, a cancelled call takes its half-made connection with it."""
    context, ours = tls(), trusting()
    over, turn = False, 0
    while not over and turn < MOST_TURNS:
        async with wire(http(), tls=context) as served, AegisClient(KEY, base_url=served.url, ssl=ours) as client:
            over = await cancelled_at(turn, client, Story((), one))
            nothing_left(client)
        turn += 3

    assert over
