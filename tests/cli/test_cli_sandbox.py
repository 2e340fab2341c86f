"""The sandbox as a server for other processes, which may run for weeks."""

import asyncio
from collections.abc import Callable

import pytest
from rich.console import Console

from aegis_async import AegisClient
from aegis_async.cli import _connect
from aegis_async.cli._commands import _sandbox
from aegis_async.cli._parser import build_parser
from aegis_async.sandbox import RecordedRequest, Sandbox

ENOUGH = 5.0  # seconds


async def test_a_server_forgets_what_it_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can look at the requests of another process, and in the end they would fill its memory."""
    options = build_parser().parse_args(["sandbox", "--collections", "3"])
    server = Sandbox(collections=3)
    forgotten: asyncio.Queue[RecordedRequest] = asyncio.Queue()
    clear: Callable[[], None] = server.clear_requests

    def forget() -> None:
        for request in server.requests:
            forgotten.put_nowait(request)
        clear()

    monkeypatch.setattr(server, "clear_requests", forget)
    monkeypatch.setattr(_connect, "made_sandbox", lambda **_: server)
    monkeypatch.setattr(_sandbox, "_REMEMBERED", 0.01)
    running = asyncio.create_task(_sandbox._run(options, Console(quiet=True)))
    try:
        async with asyncio.timeout(ENOUGH):
            while server._url is None:
                await asyncio.sleep(0)
            async with AegisClient(server.api_key, base_url=server.url) as client:
                await client.data_collections.get(3)
            assert "/data-collections/3" == (await forgotten.get()).path
    finally:
        running.cancel()

    assert 0 == await running
    assert [] == server.requests
