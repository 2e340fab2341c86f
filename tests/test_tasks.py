"""Claims about the owners of background tasks."""

import asyncio
import threading

import pytest

from aegis_async._tasks import TaskOwner, abandon, finish


async def forever() -> None:
    """Wait until cancelled."""
    await asyncio.Event().wait()


async def test_closing_an_owner_ends_its_tasks() -> None:
    """Every task is gone when ``aclose()`` returns."""
    owner = TaskOwner()
    tasks = [owner.start(forever()) for _ in range(3)]
    await asyncio.sleep(0)

    await owner.aclose()

    assert all(task.cancelled() for task in tasks)


async def test_a_task_that_closes_its_own_owner_does_not_wait_for_itself() -> None:
    """A task may end everything else its owner holds, and goes on."""
    owner = TaskOwner()
    other = owner.start(forever())

    async def close() -> str:
        await owner.aclose()
        return "still here"

    assert "still here" == await owner.start(close())
    assert other.cancelled()


async def test_finishing_drops_results_and_errors() -> None:
    """What was cancelled on purpose has nothing more to say."""

    async def fails() -> None:
        raise ZeroDivisionError

    task = asyncio.create_task(fails())
    await asyncio.sleep(0)

    await finish(task)

    assert isinstance(task.exception(), ZeroDivisionError)


async def test_abandoning_cancels_at_once_in_the_loops_own_thread() -> None:
    """A finalizer in the loop's thread cancels without a detour."""
    task = asyncio.create_task(forever())
    await asyncio.sleep(0)

    abandon(asyncio.get_running_loop(), task)

    assert 1 == task.cancelling()
    await finish(task)


async def test_abandoning_from_another_thread_is_safe() -> None:
    """A finalizer that the collector runs in another thread cancels through the loop."""
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(forever())
    await asyncio.sleep(0)

    thread = threading.Thread(target=abandon, args=(loop, task))
    thread.start()

    with pytest.raises(asyncio.CancelledError):
        await task
    thread.join()


def test_abandoning_on_a_closed_loop_does_nothing() -> None:
    """What outlives its loop has nothing left to cancel."""
    loop = asyncio.new_event_loop()
    work = forever()
    task = loop.create_task(work)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()

    abandon(loop, task)

    assert task.cancelled()
