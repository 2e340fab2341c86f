"""What every test may use: a sandbox, a client on it, a clock that waits for nothing, and checks of what is left."""

import asyncio
import gc
import inspect
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp import ClientResponse
from aiohttp.abc import AbstractStreamWriter
from aioresponses import aioresponses, core
from hypothesis import settings

from aegis_async import AegisClient
from aegis_async._clock import Alarm, Clock
from aegis_async.sandbox import Sandbox
from aegis_async.sandbox._documents import Record

# A shared machine is slow now and then, which is no fault of an example.
settings.register_profile("aegis", deadline=None, derandomize="CI" in os.environ, max_examples=60)
settings.load_profile("aegis")

START = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
LONGEST_TURN = 1.5  # seconds of processor time, the collector apart: neither a busy machine nor pandas' import is ours
DRAWN = 4096  # collections, some 20 KB each
TURNS = 5  # of the loop, in which a cancelled task is gone


class FakeClock:
    """A clock that moves only when somebody waits on it."""

    def __init__(self) -> None:
        self.sleeps: list[float] = []
        self.alarms: list[float] = []
        self.time = 0.0
        self.chance = 1.0
        self.hold: asyncio.Event | None = None  # what a wait waits for before its time has passed

    async def sleep(self, seconds: float) -> None:
        """Pass ``seconds`` at once."""
        self.sleeps.append(seconds)
        if self.hold is not None:
            await self.hold.wait()
        self.time += seconds
        await asyncio.sleep(0)

    def later(self, seconds: float, then: Callable[[], None]) -> Alarm:
        """Pass ``seconds`` in a later turn of the loop."""
        self.alarms.append(seconds)
        return FakeAlarm(self, seconds, then)

    def as_clock(self) -> Clock:
        """Give the clock that the session takes."""
        return Clock(
            monotonic=lambda: self.time,
            now=lambda: START + timedelta(seconds=self.time),
            sleep=self.sleep,
            later=self.later,
            random=lambda: self.chance,
        )


class FakeAlarm:
    """Rings in the loop's next turn, or once the clock no longer holds."""

    def __init__(self, clock: FakeClock, seconds: float, then: Callable[[], None]) -> None:
        self._clock, self._seconds, self._then = clock, seconds, then
        self._handle = asyncio.get_running_loop().call_soon(self._ring)

    def cancel(self) -> None:
        """Let it not ring."""
        self._handle.cancel()

    def _ring(self) -> None:
        if self._clock.hold is not None and not self._clock.hold.is_set():
            self._handle = asyncio.get_running_loop().call_soon(self._ring)
            return
        self._clock.time += self._seconds
        self._then()


def pytest_collection_finish() -> None:
    """Spare the collector a look at all tests in each of them."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session", autouse=True)
def drawn_once() -> Iterator[None]:
    """What a sandbox shows of a collection is a function of seed, id and revision: it is drawn once for all tests."""
    full = lru_cache(DRAWN)(lambda record, whole=Record.full: tuple(whole(record)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Record, "summary", lru_cache(DRAWN)(Record.summary))
        patch.setattr(Record, "full", lambda record: iter(full(record)))
        yield


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(collections=20) as running:
        yield running


@pytest.fixture
async def small() -> AsyncIterator[Sandbox]:
    """An account that is read at a glance."""
    async with Sandbox(collections=3) as running:
        yield running


@pytest.fixture
async def client(sandbox: Sandbox, clock: FakeClock) -> AsyncIterator[AegisClient]:
    made = AegisClient(sandbox.api_key, base_url=sandbox.url)
    made._session.clock = clock.as_clock()
    async with made:
        yield made


class _Answer(ClientResponse):
    """What aiohttp 3.14 requires of a response and aioresponses 0.7.9 does not give yet."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, stream_writer=Mock(AbstractStreamWriter, output_size=0), **kwargs)


@pytest.fixture
def mocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[aioresponses]:
    """Answers without a server; on loopback everything passes through."""
    monkeypatch.setattr(core, "ClientResponse", _Answer)
    with aioresponses(passthrough=["http://127.0.0.1"]) as mock:
        yield mock


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test depends on a key, an address or a proxy of the machine it runs on."""
    for name in (
        "AEGIS_API_KEY",
        "AEGIS_API_KEYS",
        "AEGIS_BASE_URL",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(autouse=True)
def nothing_unraisable() -> Iterator[None]:
    """A finalizer that fails, or a task that nobody awaited, fails the test that left it."""
    yield
    gc.collect(0)


@pytest.fixture(autouse=True)
def loop_kept_well(request: pytest.FixtureRequest) -> None:
    """An async test leaves no task behind, and nothing in it keeps the loop from its other work."""
    if inspect.iscoroutinefunction(request.function):
        request.getfixturevalue("no_task_left")
        request.getfixturevalue("no_blocked_loop")


@pytest.fixture
async def no_task_left() -> AsyncIterator[None]:
    # The handler hears of tasks that are collected while they wait, and of errors that nobody took.
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(str(context)))
    yield
    for _ in range(TURNS):
        await asyncio.sleep(0)
    assert not asyncio.all_tasks() - {asyncio.current_task()}
    assert not complaints


@pytest.fixture
def no_blocked_loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    turns: list[tuple[float, str]] = []
    run = asyncio.Handle._run
    collector = _Collector()

    def timed(handle: asyncio.Handle) -> None:
        begun, before = time.thread_time(), collector.spent
        run(handle)
        taken = time.thread_time() - begun - (collector.spent - before)
        if taken > LONGEST_TURN:
            turns.append((taken, repr(handle)))

    monkeypatch.setattr(asyncio.Handle, "_run", timed)
    gc.callbacks.append(collector)
    yield
    gc.callbacks.remove(collector)
    assert not turns


class _Collector:
    """Counts the time that the garbage collector takes, which grows with what all tests before have left."""

    def __init__(self) -> None:
        self.spent = 0.0
        self._begun = 0.0

    def __call__(self, phase: str, _info: object) -> None:
        if phase == "start":
            self._begun = time.thread_time()
        else:
            self.spent += time.thread_time() - self._begun
