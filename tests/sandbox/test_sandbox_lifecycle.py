"""Starting and stopping a sandbox, in a task and in a thread, and what it tells about itself."""

import asyncio
import math
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from aegis_async import AegisClient
from aegis_async.sandbox import Sandbox


def fetch(sandbox: Sandbox, path: str) -> int:
    """Send one request from this thread and give the answer's status."""
    request = Request(f"{sandbox.url}{path}", headers={"Authorization": f"Bearer {sandbox.api_key}"})  # noqa: S310 - loopback
    with urlopen(request, timeout=10) as response:  # noqa: S310 - loopback
        status: int = response.status
    return status


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_the_thread_form_serves_and_leaves_nothing() -> None:
    """It answers a caller that has no loop, and when it is left there is no thread and no port."""
    before = threading.enumerate()

    with Sandbox() as sandbox:
        assert 200 == fetch(sandbox, "/data-collections/14")

    assert before == threading.enumerate()
    with pytest.raises(URLError, match="refused"):
        fetch(sandbox, "/data-collections/14")


async def test_the_task_form_leaves_no_task(ask: Any) -> None:
    """After it is left, this test's task is the only one in the loop."""
    async with Sandbox() as sandbox:
        await ask(sandbox, "/data-collections/14")

    assert {asyncio.current_task()} == asyncio.all_tasks()


@pytest.mark.parametrize("form", ["task", "thread"])
async def test_requests_under_way_are_ended(form: str) -> None:
    """An answer that would never come does not hold up the end, and its connection is closed."""
    sandbox = Sandbox()
    sandbox.fail(delay=math.inf)
    arrived = asyncio.Event()

    async def ask_and_wait() -> bytes:
        port = int(sandbox.url.split(":")[2].split("/")[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /api/v1/data-collections HTTP/1.1\r\nHost: sandbox\r\n\r\n")
        while not sandbox.requests:
            await asyncio.sleep(0)
        arrived.set()
        left = await reader.read()
        writer.close()
        await writer.wait_closed()
        return left

    await (sandbox.__aenter__() if form == "task" else asyncio.to_thread(sandbox.__enter__))
    waiting = asyncio.create_task(ask_and_wait())
    await arrived.wait()
    await (sandbox.aclose() if form == "task" else asyncio.to_thread(sandbox.close))

    assert b"" == await waiting


async def test_leaving_twice_is_fine() -> None:
    """Both aclose and close may be called again, and on a sandbox of the other form, and before any start."""
    sandbox = Sandbox()
    async with sandbox:
        await sandbox.aclose()
        await sandbox.aclose()
        sandbox.close()
    never = Sandbox()
    never.close()
    await never.aclose()

    assert [] == [*sandbox.requests, *never.requests]


def test_a_sandbox_is_entered_once() -> None:
    """A second start says that a new sandbox is what is needed."""
    with Sandbox() as sandbox, pytest.raises(RuntimeError, match="entered once"):
        sandbox.__enter__()


def test_a_port_in_use_is_one_sentence_in_the_caller_s_thread(taken: int) -> None:
    """The thread form tells its caller what kept it from starting, and leaves no thread."""
    before = threading.enumerate()

    with pytest.raises(OSError, match=re.escape(f"cannot listen on 127.0.0.1:{taken}: it is in use")):
        Sandbox(port=taken).__enter__()

    assert before == threading.enumerate()


async def test_a_port_in_use_is_one_sentence_in_the_loop(taken: int) -> None:
    """The task form raises the same error, without a chain of others."""
    with pytest.raises(OSError, match=re.escape(f"cannot listen on 127.0.0.1:{taken}: it is in use")) as caught:
        await Sandbox(port=taken).__aenter__()

    assert (None, None) == (caught.value.__cause__, caught.value.__context__)
    assert {asyncio.current_task()} == asyncio.all_tasks()


def test_a_given_port_is_used_and_free_again() -> None:
    """The url names the port that was asked for, and the next sandbox can have it."""
    with Sandbox() as sandbox:
        port = int(sandbox.url.split(":")[2].split("/")[0])

    for _ in range(2):
        with Sandbox(port=port) as again:
            assert f"http://127.0.0.1:{port}/api/v1" == again.url


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"collections": -1}, "collections must be 0 or more, not -1"),
        ({"collections": True}, "collections must be 0 or more, not True"),
        ({"collections": 10**10 + 1}, "collections must be 10000000000 or fewer, not 10000000001"),
        ({"latency": -0.1}, "latency must be 0 or more, not -0.1"),
        ({"latency": math.nan}, "latency must be 0 or more, not nan"),
        ({"port": 65_536}, "port must be between 0 and 65535, not 65536"),
        ({"port": -1}, "port must be between 0 and 65535, not -1"),
    ],
)
def test_an_argument_out_of_its_bounds_is_refused(arguments: dict[str, Any], complaint: str) -> None:
    """The error names the argument, its bounds and what was given."""
    with pytest.raises(ValueError, match=complaint):
        Sandbox(**arguments)


@pytest.mark.parametrize(
    "arguments", [{"after_page": 0}, {"after_page": 1, "add": -1}, {"after_page": 1, "add_first": -1}]
)
def test_a_drift_that_cannot_be_is_refused(arguments: dict[str, Any]) -> None:
    """Pages count from one, and nothing can be added a negative number of times."""
    with pytest.raises(ValueError, match="must be"):
        Sandbox().drift(**arguments)


def test_the_keys_follow_from_the_seed_and_look_real() -> None:
    """Same seed, same keys; they differ from each other and between seeds, and no repr shows one."""
    one, same, other = Sandbox(seed=1), Sandbox(seed=1), Sandbox(seed=2)

    keys = {one.api_key, one.solo_api_key, other.api_key, other.solo_api_key}
    assert one.api_key == same.api_key
    assert 4 == len(keys)
    assert all(re.fullmatch(r"sk_[0-9a-f]{32}", key) for key in keys)
    assert not any(key[3:] in repr(one) + repr(vars(one)["_wire"]) for key in keys)


async def test_further_keys_see_the_whole_account_and_are_told_apart() -> None:
    """Each lists what the first one does, the record says which it was, and no repr shows one."""
    async with Sandbox(collections=3, keys=3) as sandbox:
        for key in (*sandbox.api_keys, sandbox.solo_api_key):
            async with AegisClient(key, base_url=sandbox.url) as client:
                await client.data_collections.list()

    assert sandbox.api_key == sandbox.api_keys[0]
    assert 3 == len(set(sandbox.api_keys))
    assert [0, 1, 2, None] == [request.key for request in sandbox.requests]
    assert not any(key[3:] in repr(sandbox) + repr(sandbox.requests) for key in sandbox.api_keys)


@pytest.mark.parametrize("keys", [0, True])
def test_there_is_one_key_at_least(keys: int) -> None:
    """A sandbox that nobody may ask is of no use."""
    with pytest.raises(ValueError, match="keys must be 1 or more"):
        Sandbox(keys=keys)


def test_the_url_is_unknown_before_the_start() -> None:
    """Asking too early is a clear error."""
    with pytest.raises(RuntimeError, match="no url before it is entered"):
        _ = Sandbox().url


def test_the_environment_points_another_process_at_the_sandbox() -> None:
    """A child process with these variables reaches it with the right key."""
    code = (
        "import os, urllib.request as u;"
        "r = u.Request(os.environ['AEGIS_BASE_URL'] + '/data-collections/14',"
        " headers={'Authorization': 'Bearer ' + os.environ['AEGIS_API_KEY']});"
        "print(u.urlopen(r).status)"
    )

    with Sandbox() as sandbox:
        child = subprocess.run(  # noqa: S603 - our own line of Python
            [sys.executable, "-c", code], env=sandbox.env, capture_output=True, text=True, check=True
        )

    assert "200" == child.stdout.strip()


async def test_requests_are_recorded_as_they_came(sandbox: Sandbox, ask: Any) -> None:
    """Method, path, query, status and a rising time, for refused requests as well."""
    begun = time.monotonic()
    await ask(sandbox, "/data-collections?page=2&shared=false")
    await ask(sandbox, "/data-collections/1%2F..", key="sk_wrong", method="PUT")

    first, second = sandbox.requests

    assert ("GET", "/data-collections", {"page": "2", "shared": "false"}, 200) == (
        first.method,
        first.path,
        first.query,
        first.status,
    )
    assert ("PUT", "/data-collections/1%2F..", 404) == (second.method, second.path, second.status)
    assert begun <= first.at <= second.at <= time.monotonic()


async def test_the_record_is_a_copy_and_can_be_cleared(sandbox: Sandbox, ask: Any) -> None:
    """What was read does not change afterwards, and clearing starts anew."""
    await ask(sandbox, "/data-collections")
    early = sandbox.requests
    await ask(sandbox, "/data-collections")
    late = sandbox.requests

    sandbox.clear_requests()

    assert (1, 2, []) == (len(early), len(late), sandbox.requests)


def test_it_can_be_scripted_from_any_thread_while_it_serves() -> None:
    """Eight threads that change, read and break it at once meet no error, and every number adds up."""
    with Sandbox(collections=40) as sandbox:

        def work(number: int) -> None:
            for turn in range(10):
                sandbox.change(sandbox.add())
                sandbox.delete(1 + number * 5 + turn % 5) if turn < 5 else None
                fetch(sandbox, f"/data-collections?page_size=100&page={turn + 1}")
                assert sandbox.requests

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert 80 == len(sandbox.requests)
        assert {200} == {request.status for request in sandbox.requests}
        assert 80 == sandbox.add() - 41
