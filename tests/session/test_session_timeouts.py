"""Claims about the limits in time of attempts: each ends by itself, and leaves its task and its loop as they were."""

import asyncio

import pytest

from aegis_async import AegisClient, Timeout
from aegis_async._session._timeouts import Running, Timeouts
from aegis_async.errors import RequestTimeoutError
from tests.session.wire import Drip, head, http, once, wire


async def _waits(
    timeouts: Timeouts, timeout: Timeout, total: float | None = None, begun: asyncio.Future[Running] | None = None
) -> type[TimeoutError] | None:
    """Wait for ever as an attempt that has a connection, and tell what ended it."""
    running = timeouts.begin(timeout, total)
    timeouts.connected()
    if begun is not None:
        begun.set_result(running)
    try:
        await asyncio.get_running_loop().create_future()
    except asyncio.CancelledError:
        return running.over()
    finally:
        timeouts.end(running)
    return None


@pytest.mark.parametrize(
    ("timeout", "total", "expected"),
    [
        (Timeout(read=60.0, attempt=0.01), None, "TimeoutError"),
        (Timeout(read=0.01, attempt=60.0), None, "SocketTimeoutError"),
        (Timeout(read=60.0, attempt=60.0), 0.01, "TimeoutError"),
    ],
)
async def test_a_limit_that_ran_out_says_which(timeout: Timeout, total: float | None, expected: str) -> None:
    """The whole, a silence and what a deadline leaves each end the attempt, which tells silence from the others."""
    timeouts = Timeouts(hears=True)

    over = await _waits(timeouts, timeout, total)
    timeouts.close()

    assert over is not None
    assert expected == over.__name__


async def test_a_task_is_not_left_half_cancelled() -> None:
    """After a limit ran out the task counts as not cancelled, so that a timeout block around it still works."""
    task = asyncio.current_task()
    assert task is not None
    timeouts = Timeouts(hears=True)

    await _waits(timeouts, Timeout(attempt=0.01))
    timeouts.close()

    assert 0 == task.cancelling()


async def test_a_cancellation_of_somebody_else_goes_before_a_limit() -> None:
    """An attempt that is cancelled in the moment in which it runs out is cancelled."""
    timeouts = Timeouts(hears=True)
    begun: asyncio.Future[Running] = asyncio.get_running_loop().create_future()

    task = asyncio.create_task(_waits(timeouts, Timeout(), None, begun))
    running = await begun
    running.run_out(TimeoutError)
    task.cancel()
    over = await task
    timeouts.close()

    assert over is None


async def test_attempts_that_end_in_another_order_run_out_in_theirs() -> None:
    """Of three attempts the one that ended is not waited for, and the two others run out."""
    timeouts = Timeouts(hears=True)
    waiting = [asyncio.create_task(_waits(timeouts, Timeout(attempt=0.05))) for _ in range(3)]
    await asyncio.sleep(0)

    waiting[0].cancel()
    over = await asyncio.gather(*waiting)
    timeouts.close()

    assert [None, TimeoutError, TimeoutError] == over


async def test_a_drip_is_ended_by_the_whole_and_not_as_a_silence() -> None:
    """A body that drips for ever ends with the attempt's own limit, which is longer than the one for a silence."""
    endless = (head(Content_Length="1000000"), Drip(b".", 0.01))
    limits = Timeout(read=0.2, attempt=0.3)
    async with wire(endless) as served, once(served.url, timeout=limits) as client:
        with pytest.raises(RequestTimeoutError, match=r"not done within 0\.3 s") as caught:
            await client.fetch("/x", bytes)

    assert "attempt" == caught.value.phase


async def test_no_alarm_is_left_when_a_client_is_closed() -> None:
    """A closed client leaves nothing in the loop that would wake it later."""
    loop = asyncio.get_running_loop()
    async with wire(http(b'"here"')) as served, AegisClient("sk_0123456789abcdef", base_url=served.url) as client:
        await client.with_options(timeout=3600.0, deadline=1800.0).fetch("/x", str)

    scheduled: list[asyncio.TimerHandle] = getattr(loop, "_scheduled")  # noqa: B009 - asyncio shows it to nobody
    assert [] == [handle for handle in scheduled if not handle.cancelled() and handle.when() > loop.time() + 600]
