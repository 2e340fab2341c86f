"""A dashboard in a thread with a loop of its own, as a browser needs it, which blocks this one."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

from aegis_async import AegisClient, Cache, RetryPolicy
from aegis_async.dashboard import LiveSource, Source
from aegis_async.sandbox import Sandbox
from tests.dashboard.serving import site

__all__ = ["over", "serving"]

Opened = Callable[[], AbstractAsyncContextManager[Source]]


@contextmanager
def serving(opened: Opened) -> Iterator[str]:
    """Serve a source from a thread with a loop of its own, and give the address."""
    ready: Future[tuple[str, Callable[[], object]]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with opened() as source, site(source) as served:
            ready.set_result((f"{served.url}/", lambda: loop.call_soon_threadsafe(stop.set)))
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    url, stop = ready.result(timeout=20)
    try:
        yield url
    finally:
        stop()
        thread.join()


@contextmanager
def over(sandbox: Sandbox) -> Iterator[str]:
    """Serve a live source over a sandbox."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Source]:
        client = AegisClient(sandbox.api_key, base_url=sandbox.url, cache=Cache(), retry=RetryPolicy(max_attempts=1))
        async with client, LiveSource(client, interval=0.2) as live:
            yield live

    with serving(opened) as url:
        yield url
