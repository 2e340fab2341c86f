"""Blocking work in a thread, which a cancellation waits for: no thread stops half way through a file."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["ended", "off_loop"]

T = TypeVar("T")


async def ended(work: asyncio.Future[T]) -> BaseException | None:
    """Wait for ``work`` without cancelling it, and give its error."""
    await asyncio.wait({work})
    return asyncio.CancelledError() if work.cancelled() else work.exception()


async def off_loop(work: Callable[..., T], *arguments: Any) -> T:
    """Run ``work`` in a thread; when cancelled, pass that on as soon as the thread is done."""
    # No task: a loop that shuts down would cancel one, and a thread's end can only be waited for.
    future = asyncio.get_running_loop().run_in_executor(None, work, *arguments)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await ended(future)
        raise
