"""Claims about hooks and stats: what an operator sees of each attempt, and that seeing harms nothing."""

import asyncio
import logging
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from aegis_async import AegisClient, Hooks, RequestEvent, RetryBudget, RetryPolicy
from aegis_async.errors import AegisError, ConfigurationError, DeadlineExceededError, NotFoundError, ServerError
from aegis_async.sandbox import Sandbox
from tests.conftest import FakeClock
from tests.held import held
from tests.session.wire import KEY


class Diary:
    """What the hooks were told, in order."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, RequestEvent]] = []

    def hooks(self) -> Hooks:
        """Give hooks that write everything down."""
        return Hooks(
            on_request=lambda event: self.entries.append(("request", event)),
            on_response=lambda event: self.entries.append(("response", event)),
            on_retry=lambda event: self.entries.append(("retry", event)),
            on_give_up=lambda event: self.entries.append(("give_up", event)),
        )

    @property
    def names(self) -> list[str]:
        """The names alone."""
        return [name for name, _ in self.entries]

    def of(self, name: str) -> RequestEvent:
        """Give the latest event of that name."""
        return [event for given, event in self.entries if given == name][-1]


def watched(sandbox: Sandbox, hooks: Hooks, clock: FakeClock | None = None) -> AegisClient:
    """Give a client with hooks."""
    made = AegisClient(sandbox.api_key, base_url=sandbox.url, hooks=hooks)
    if clock is not None:
        made._session.clock = clock.as_clock()
    return made


async def test_a_good_call_is_a_request_and_a_response(sandbox: Sandbox) -> None:
    """Both events name the request, and the second one knows the answer and how long each phase took."""
    diary = Diary()
    async with watched(sandbox, diary.hooks()) as client:
        await client.data_collections.get(14)
        await client.data_collections.get(14)

    first, second = (event for name, event in diary.entries if name == "response")
    assert ["request", "response"] * 2 == diary.names
    assert ("GET", "/data-collections/14", "interactive") == (second.method, second.path, second.priority)
    assert f"{sandbox.url}/data-collections/14" == second.url
    assert (1, 4, 200, None) == (second.attempt, second.max_attempts, second.status, second.error)
    assert first.call != second.call
    assert second.size
    assert first.connect
    assert 0.0 == second.connect
    for phase in (second.first_byte, second.body, second.decode):
        assert phase is not None
        assert phase >= 0


async def test_a_retry_tells_the_wait_and_the_reason(sandbox: Sandbox, clock: FakeClock) -> None:
    """Each attempt has its two events, and between them the wait with the error that calls for it."""
    diary = Diary()
    sandbox.fail(status=503)
    async with watched(sandbox, diary.hooks(), clock) as client:
        await client.data_collections.get(1)

    retry, last = diary.of("retry"), diary.of("response")
    assert ["request", "response", "retry", "request", "response"] == diary.names
    assert (1, 503, 0.5) == (retry.attempt, retry.status, retry.wait)
    assert isinstance(retry.error, ServerError)
    assert (2, 200, None, retry.call) == (last.attempt, last.status, last.error, last.call)


async def test_giving_up_is_told_once(sandbox: Sandbox, clock: FakeClock) -> None:
    """A call that ends without a result says so, with the error that the caller gets."""
    diary = Diary()
    async with watched(sandbox, diary.hooks(), clock) as client:
        with pytest.raises(NotFoundError) as caught:
            await client.with_options(priority="bulk").data_collections.get(999)

    assert ["request", "response", "give_up"] == diary.names
    assert caught.value is diary.of("give_up").error
    assert ("bulk", 404) == (diary.of("give_up").priority, diary.of("give_up").status)


async def test_a_call_that_never_reached_the_wire_gives_up_without_an_attempt() -> None:
    """A deadline that ends in the queue is told with attempt zero, and no request before it."""
    diary = Diary()
    async with (
        held() as server,
        AegisClient(KEY, base_url=server.url, max_concurrency=1, hooks=diary.hooks()) as client,
    ):
        busy = asyncio.create_task(client.data_collections.get(1))
        await server.came(1)
        with pytest.raises(DeadlineExceededError):
            await client.with_options(deadline=0.01, priority="bulk").data_collections.get(2)
        server.let_go()
        await busy

    assert ["request", "give_up", "response"] == diary.names
    assert 0 == diary.of("give_up").attempt


async def test_a_cancelled_call_is_told_too() -> None:
    """Every request that was announced has its response, a cancelled one as well, so that spans can end."""
    diary = Diary()
    async with held() as server, AegisClient(KEY, base_url=server.url, hooks=diary.hooks()) as client:
        call = asyncio.create_task(client.data_collections.get(1))
        await server.came(1)
        call.cancel()
        await asyncio.wait([call])

    assert ["request", "response", "give_up"] == diary.names
    assert isinstance(diary.of("response").error, asyncio.CancelledError)


@pytest.mark.parametrize("kind", [ZeroDivisionError, asyncio.CancelledError])
async def test_a_hook_that_raises_does_no_harm(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, kind: type[BaseException]
) -> None:
    """The call succeeds, and the log has the hook's error, be it the cancellation of a task that the hook looked at."""

    def broken(event: RequestEvent) -> None:
        raise kind(event.path)

    async with watched(sandbox, Hooks(broken, broken, broken, broken)) as client:
        assert 14 == (await client.data_collections.get(14)).id

    assert ["a hook raised at attempt 1 of GET /data-collections/14"] * 2 == [r.getMessage() for r in caplog.records]
    assert all(record.levelno == logging.ERROR for record in caplog.records)


async def test_an_event_is_frozen_and_holds_no_key(sandbox: Sandbox) -> None:
    """A hook can change nothing, and find no key."""
    diary = Diary()
    async with watched(sandbox, diary.hooks()) as client:
        await client.data_collections.get(14)

    event = diary.of("response")
    with pytest.raises(FrozenInstanceError):
        event.status = 500  # type: ignore[misc]  # that is the claim
    assert sandbox.api_key not in repr(event)


async def test_the_wait_for_a_slot_is_told() -> None:
    """An attempt that queued says how long, and one that did not says nothing."""
    diary = Diary()
    async with (
        held() as server,
        AegisClient(KEY, base_url=server.url, max_concurrency=1, hooks=diary.hooks()) as client,
    ):
        calls = [asyncio.create_task(client.data_collections.get(number)) for number in (1, 2)]
        await server.came(1)
        server.let_go()
        await server.came(2)
        server.let_go()
        await asyncio.gather(*calls)

    first, second = (event for name, event in diary.entries if name == "response")
    assert first.slot is None
    assert second.slot
    assert client.stats().waited_slot == pytest.approx(second.slot)


async def test_stats_count_what_was_done(sandbox: Sandbox, client: AegisClient) -> None:
    """Attempts, results, failures, retries, waits and bytes add up over a client and its views."""
    sandbox.fail(status=503)
    await client.data_collections.get(1)
    sandbox.fail(status=429, retry_after=7)
    await client.with_options(timeout=9).data_collections.get(2)
    with pytest.raises(AegisError):
        await client.data_collections.get(999)

    stats = client.stats()
    assert (5, 2, 1, 2) == (stats.attempts, stats.succeeded, stats.failed, stats.retries)
    assert (0.5, 7.0) == (stats.waited_backoff, stats.waited_pause)
    assert (0, 0, 16, 0.0) == (stats.in_flight, stats.waiting, stats.limit, stats.paused_for)
    assert stats.size > 1000
    assert 500 == stats.retry_tokens


async def test_stats_show_what_is_going_on() -> None:
    """Requests on the wire, calls that wait, and the tokens that are left are there while it happens."""
    async with held() as server, AegisClient(KEY, base_url=server.url, max_concurrency=2) as client:
        calls = [asyncio.create_task(client.data_collections.get(number)) for number in (1, 2, 3)]
        await server.came(2)
        seen = client.stats()
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)

    assert (2, 1, 2) == (seen.in_flight, seen.waiting, seen.limit)


def test_stats_of_an_unused_client_are_zero() -> None:
    """They need no event loop."""
    made = AegisClient(KEY, max_concurrency="auto", retry=RetryPolicy(budget=RetryBudget(capacity=7)))

    assert (0, 4, 7) == (made.stats().attempts, made.stats().limit, made.stats().retry_tokens)
    assert None is made.with_options(retry=RetryPolicy(budget=None)).stats().retry_tokens


async def _awaited(*_: object) -> None:
    """Do nothing, once it is awaited."""


@pytest.mark.parametrize("name", ["on_request", "on_response", "on_retry", "on_give_up"])
@pytest.mark.parametrize("hook", ["print", _awaited], ids=["text", "async"])
def test_a_hook_that_would_never_run_is_refused(name: str, hook: Any) -> None:
    """What cannot be called, or does something only when it is awaited, is refused by name."""
    with pytest.raises(ConfigurationError, match=f"^{name} must be a plain function or None"):
        Hooks(**{name: hook})


def test_what_is_no_hooks_is_refused() -> None:
    """A bare function in the place of Hooks is a mistake, and said so."""
    with pytest.raises(AegisError, match="^hooks must be"):
        AegisClient(KEY, hooks=print)  # type: ignore[arg-type]  # that is the claim
