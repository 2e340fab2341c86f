"""An outage burns no ids: the export waits for its end, asking one thing at a time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from aegis_async import AegisClient, RetryPolicy
from aegis_async.errors import AegisError, APIConnectionError, ExportError, NotFoundError, ServerError
from aegis_async.export import _outage, export, read_report
from aegis_async.export._outage import Outage
from aegis_async.sandbox import Sandbox
from tests.conftest import FakeClock

DOWN = APIConnectionError("refused", method="GET", url="/", attempts=1)
BROKEN = ServerError("500", status=500, detail="", body="", attempts=1, method="GET", url="/", request_id=None)
GONE = NotFoundError("404", status=404, detail="", body="", attempts=1, method="GET", url="/", request_id=None)


class Service:
    """Answers, or fails as it is told to, and counts how many ask at once."""

    def __init__(self, *errors: AegisError | None) -> None:
        self.errors = list(errors)
        self.asked = self.at_once = self.most = 0

    async def __call__(self) -> int:
        self.asked += 1
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        return self.asked


def outage(clock: FakeClock, ask: Service | None = None, limit: float = 100.0) -> Outage:
    return Outage(limit, ask or Service(), clock.as_clock())


async def test_while_the_service_answers_nothing_is_added(clock: FakeClock) -> None:
    """A value passes, and so does an error that is the id's own."""
    one = outage(clock)

    assert 1 == await one.through(Service())
    for _ in range(9):
        with pytest.raises(NotFoundError):
            await one.through(Service(GONE))

    assert [] == clock.sleeps


async def test_bad_luck_is_no_outage(clock: FakeClock) -> None:
    """Failures with answers between them are passed on at once."""
    one = outage(clock)

    for _ in range(5):
        with pytest.raises(APIConnectionError):
            await one.through(Service(DOWN))
        with pytest.raises(APIConnectionError):
            await one.through(Service(DOWN))
        await one.through(Service())

    assert [] == clock.sleeps


async def test_three_failures_in_a_row_are_waited_out(clock: FakeClock) -> None:
    """The third id is not given up: it is asked for again, later and later, until it is answered."""
    one = outage(clock)
    for _ in range(2):
        with pytest.raises(APIConnectionError):
            await one.through(Service(DOWN))

    value = await one.through(Service(DOWN, DOWN, DOWN, None))

    assert 5 == value
    assert [1.0, 2.0, 4.0] == clock.sleeps


async def test_only_one_asks_while_it_lasts(clock: FakeClock) -> None:
    """Everybody else waits, and goes on when the one is answered."""
    one, service = outage(clock), Service(*[DOWN] * 12)

    values = await asyncio.gather(*(one.through(service) for _ in range(8)), return_exceptions=True)

    assert 8 == service.most  # at first, when nobody knows
    assert 2 == sum(isinstance(value, APIConnectionError) for value in values)
    assert 6 == sum(isinstance(value, int) for value in values)
    assert 5 == len(clock.sleeps)


async def test_an_outage_that_lasts_too_long_ends_the_export(clock: FakeClock) -> None:
    """When its time is up every waiter hears of it, and so does whoever comes later."""
    one = outage(clock, limit=10.0)

    values = await asyncio.gather(*(one.through(Service(*[DOWN] * 99)) for _ in range(4)), return_exceptions=True)

    assert [APIConnectionError, APIConnectionError, ExportError, ExportError] == [type(value) for value in values]
    assert "the service has not answered for 10 s: refused" == str(one.ended)
    assert 10.0 == sum(clock.sleeps)
    with pytest.raises(ExportError):
        await one.through(Service())


async def test_a_collection_that_breaks_the_service_is_to_blame_itself(clock: FakeClock) -> None:
    """A 500 for ids alone, while the listing answers, is theirs: nobody waits."""
    one = outage(clock)

    for _ in range(5):
        with pytest.raises(ServerError):
            await one.through(Service(*[BROKEN] * 9))

    assert [] == clock.sleeps


async def test_a_service_that_is_broken_altogether_is_waited_for(clock: FakeClock) -> None:
    """A 500 for the listing too is nobody's fault but the service's."""
    one = outage(clock, ask=Service(BROKEN, None))
    for _ in range(2):
        with pytest.raises(ServerError):
            await one.through(Service(BROKEN))

    assert 3 == await one.through(Service(BROKEN, None))
    assert [1.0] == clock.sleeps


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(collections=120) as server:
        yield server


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[AegisClient]:
    at_once = RetryPolicy(max_attempts=1)
    async with AegisClient(sandbox.api_key, base_url=sandbox.url, retry=at_once) as client:
        yield client


@pytest.fixture
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_outage, "_FIRST_WAIT", 0.0)
    monkeypatch.setattr(_outage, "_LONGEST_WAIT", 0.0)


@pytest.mark.usefixtures("no_waits")
@pytest.mark.parametrize(
    "fault", [{"status": 503}, {"reset": True}, {"status": 429}, {"status": 502, "body": b"<html>"}]
)
async def test_an_outage_in_the_middle_loses_nothing(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path, fault: Any
) -> None:
    """Sixty failed requests for any path, listing pages among them, and every collection arrives."""
    failing = asyncio.Event()

    def begin(_: object) -> None:
        if not failing.is_set():
            failing.set()
            sandbox.fail("*", times=60, **fault)

    report = await export(client, tmp_path, progress=begin)

    assert ("complete", 120, ()) == (report.status, report.rows["collections"], report.missing)


@pytest.mark.usefixtures("no_waits")
async def test_after_too_long_an_outage_what_was_fetched_is_kept(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    """It ends with one sentence, and the next run goes on."""
    sandbox.fail("/data-collections/?[0-9]", status=503, times=None)

    with pytest.raises(ExportError, match=r"^the service has not answered for 0 s: GET /data-collections/\d+: 503"):
        await export(client, tmp_path, concurrency=1, max_outage=0)
    early = read_report(tmp_path)
    sandbox.clear_faults()
    report = await export(client, tmp_path)

    assert ("failed", 9) == (early.status, early.fetched)
    assert ("complete", 120) == (report.status, report.rows["collections"])
    assert 111 >= report.fetched


async def test_failed_ids_get_one_more_round(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """What failed once for reasons of its own is there at the end."""
    sandbox.fail("/data-collections/7", status=500)
    sandbox.fail("/data-collections/9", status=404)

    report = await export(client, tmp_path)

    assert ("complete", 120) == (report.status, report.rows["collections"])
