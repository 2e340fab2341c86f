"""Claims about a client, its event loop, its process and the set-up of TLS."""

import asyncio
import os
import ssl
import subprocess
import sys
from typing import Any

import pytest

from aegis_async import AegisClient, Hooks, RequestEvent, RetryPolicy
from aegis_async.errors import APIConnectionError, ClientClosedError, ConfigurationError
from aegis_async.sandbox import Sandbox
from tests.session.connecting import tls, trusting
from tests.session.wire import HANG_UP, KEY, http, once, wire

FORK = """
import asyncio, os, sys
from aegis_async import AegisClient, Hooks, RequestEvent, RetryPolicy
from aegis_async.sandbox import Sandbox

connects = []

async def use(id_):
    assert id_ == (await client.data_collections.get(id_)).id
    assert 0 == client.stats().in_flight

with Sandbox(collections=5) as sandbox, asyncio.Runner() as runner:
    hooks = Hooks(on_response=lambda event: connects.append(event.connect > 0))
    client = AegisClient(sandbox.api_key, base_url=sandbox.url, hooks=hooks)
    if "used" in sys.argv:
        runner.run(use(1))
    if "closed" in sys.argv:
        runner.close()
    child = os.fork()
    if not child:
        code = 1
        try:
            asyncio.run(use(2))
            asyncio.run(use(3))
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    print("child", os.waitstatus_to_exitcode(status))
    if "closed" not in sys.argv:
        runner.run(use(4))
        runner.run(client.aclose())
    else:
        asyncio.run(use(4))
    print("connected anew", *connects)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize(
    ("how", "connects"),
    [("", "True"), ("used", "True False"), ("used closed", "True True")],
    ids=["unused", "in", "after"],
)
def test_a_fork_leaves_the_parents_connections_alone(how: str, connects: str) -> None:
    """After a fork the child's client begins anew, and the parent goes on with the connections that it had."""
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", FORK, *how.split()], capture_output=True, text=True, check=False, timeout=30
    )

    assert f"child 0\nconnected anew {connects}\n" == done.stdout, done.stderr
    assert "Traceback" not in done.stderr


def test_a_client_begins_anew_where_its_loop_was_closed_under_a_request() -> None:
    """When a loop ends with requests on the wire, the next loop finds every slot free."""
    with Sandbox(collections=3) as sandbox:
        client = AegisClient(sandbox.api_key, base_url=sandbox.url, max_concurrency=1)
        sandbox.fail(delay=30)

        async def left_behind() -> None:
            task = asyncio.create_task(client.data_collections.get(1))
            while not sandbox.requests:
                await asyncio.sleep(0)
            assert not task.done()

        async def use() -> int:
            async with client:
                return (await client.data_collections.get(2)).id

        asyncio.run(left_behind())

        assert 2 == asyncio.run(use())
        assert 0 == client.stats().in_flight


async def test_every_way_in_tells_a_second_loop(sandbox: Sandbox) -> None:
    """A call, a listing, a fan-out and the end of a flight from another living loop are refused, and harm nothing."""
    async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
        await client.data_collections.get(1)
        ways: list[Any] = [
            lambda: client.data_collections.get(1),
            lambda: client.fetch("/data-collections/1", bytes),
            lambda: client.data_collections.list(prefetch=2).collect(),
            lambda: client.data_collections.get_many([1]).collect(),
            lambda: client.with_options(priority="bulk").data_collections.get(1),
        ]
        for way in ways:
            with pytest.raises(ConfigurationError, match="another event loop: make one client for each loop"):
                await asyncio.to_thread(_run, way)

        assert 2 == (await client.data_collections.get(2)).id
        assert 0 == client.stats().in_flight


def _run(way: Any) -> None:
    async def use() -> None:
        await way()

    asyncio.run(use())


async def test_tls_is_set_up_without_reading_authorities_in_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """No request, with our TLS settings or a caller's, loads a file of authorities: that was done before."""
    ours = trusting()
    loaded: list[str] = []
    for name in ("load_default_certs", "load_verify_locations", "set_default_verify_paths"):
        monkeypatch.setattr(ssl.SSLContext, name, lambda *_, name=name, **__: loaded.append(name))
    monkeypatch.setattr(ssl, "create_default_context", lambda *_, **__: loaded.append("a context"))

    async with wire(http(b"7"), tls=tls()) as served:
        async with once(served.url, ssl=ours) as client:
            assert 7 == await client.fetch("/x", int)
        async with once(served.url) as distrusting:
            with pytest.raises(APIConnectionError, match="certificate verify failed"):
                await distrusting.fetch("/x", int)

    assert [] == loaded


async def test_a_look_up_of_a_name_ends_with_its_call() -> None:
    """Cancelled at any turn while its host's name is looked up, a call and its client leave nothing."""
    over, turn = False, 0
    while not over:
        before = asyncio.all_tasks()
        async with wire(http(b"7")) as served:
            served.host = "localhost"
            async with AegisClient(KEY, base_url=served.url) as client:
                task = asyncio.create_task(client.fetch("/x", int))
                for _ in range(turn):
                    await asyncio.sleep(0)
                over = task.done()
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                assert 0 == client.stats().in_flight
        assert before == asyncio.all_tasks()
        turn = 2 * turn + 1


async def test_nobody_waits_for_a_client_that_is_closed() -> None:
    """Closing the client ends every call at once, wherever it is, in an error of ours."""
    async with wire(None) as served:
        client = AegisClient(KEY, base_url=served.url, max_concurrency=1, hooks=Hooks())
        calls = [asyncio.create_task(client.fetch(f"/{n}", bytes)) for n in range(4)]
        while not served.heads:
            await asyncio.sleep(0)

        await client.aclose()
        results = await asyncio.gather(*calls, return_exceptions=True)

    assert {ClientClosedError, APIConnectionError} >= {type(result) for result in results}
    assert 0 == client.stats().in_flight + client.stats().waiting


async def test_no_wait_begins_in_a_client_that_is_closed() -> None:
    """A later attempt that the closing breaks off is not followed by a wait for yet another one."""
    async with wire(HANG_UP, None) as served:
        events: list[RequestEvent] = []
        policy = RetryPolicy(max_attempts=3, initial=0)
        client = AegisClient(
            KEY, base_url=served.url, retry=policy, single_flight=False, hooks=Hooks(on_retry=events.append)
        )
        call = asyncio.create_task(client.fetch("/x", bytes))
        while len(served.heads) < 2:
            await asyncio.sleep(0)

        await client.aclose()
        with pytest.raises(ClientClosedError):
            await call

    assert [1] == [event.attempt for event in events]
