"""Scripted faults, seen from the other end of the wire by a client that repeats and hides nothing."""

import asyncio
import gzip
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

from aegis_async.sandbox import Sandbox


class Raw(NamedTuple):
    """What came over one connection, and how it ended."""

    head: bytes
    body: bytes
    error: type[Exception] | None

    @property
    def length(self) -> int:
        """The Content-Length that was announced."""
        [line] = [line for line in self.head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        return int(line.split(b":")[1])


@asynccontextmanager
async def request(
    sandbox: Sandbox, path: str = "/data-collections", *extra: str
) -> AsyncIterator[asyncio.StreamReader]:
    """Send one request on a connection of its own."""
    port = int(sandbox.url.split(":")[2].split("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"GET /api/v1{path} HTTP/1.1", "Host: sandbox", f"Authorization: Bearer {sandbox.api_key}", *extra]
    writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode())
    try:
        yield reader
    finally:
        writer.transport.abort()


async def raw(sandbox: Sandbox, path: str = "/data-collections", *extra: str) -> Raw:
    """Read all that comes until the connection ends, however it ends."""
    received, error = b"", None
    async with request(sandbox, path, *extra) as reader:
        try:
            while piece := await reader.read(65_536):
                received += piece
        except ConnectionError as failure:
            error = type(failure)
    head, _, body = received.partition(b"\r\n\r\n")
    return Raw(head, body, error)


@pytest.mark.parametrize("status", [200, 400, 408, 429, 500, 502, 503, 504, 599])
async def test_a_status_is_answered_with_a_body_like_fastapi_s(status: int, sandbox: Sandbox, ask: Any) -> None:
    """The scripted status comes once, with a detail, and then the truth."""
    sandbox.fail(status=status)

    replies = [await ask(sandbox, "/data-collections/14") for _ in range(2)]

    assert (status, ["detail"]) == (replies[0].status, list(replies[0].json))
    assert (200, 14) == (replies[1].status, replies[1].json["id"])


@pytest.mark.parametrize("status", [204, 304])
async def test_a_status_without_a_body_has_none(status: int, sandbox: Sandbox) -> None:
    """What HTTP forbids to have a body comes without one."""
    sandbox.fail(status=status)

    assert b"" == (await raw(sandbox)).body


@pytest.mark.parametrize(
    "value", [7, 0.5, "", "-1", "nan", math.inf, "١٢", "Wed, 21 Oct 2015 07:28:00 GMT", "1, 2", "x" * 300]
)
async def test_retry_after_is_sent_as_it_is(value: float | str, sandbox: Sandbox, ask: Any) -> None:
    """Any header can be scripted, the nonsense of real servers included."""
    sandbox.fail(status=429, retry_after=value)

    reply = await ask(sandbox, "/data-collections")

    assert str(value) == reply.headers["Retry-After"]


async def test_retry_after_alone_keeps_the_true_answer(sandbox: Sandbox, ask: Any) -> None:
    """Without a status the header is added to the truth."""
    sandbox.fail(retry_after=1)

    reply = await ask(sandbox, "/data-collections/14")

    assert (200, 14, "1") == (reply.status, reply.json["id"], reply.headers["Retry-After"])


async def test_a_body_can_be_scripted(sandbox: Sandbox) -> None:
    """A proxy's HTML page and a broken document come as they are."""
    sandbox.fail(status=502, body="<html>Bad gateway</html>")
    sandbox.fail(body=b'{"items": [')

    page, broken = [await raw(sandbox) for _ in range(2)]

    assert b"502" in page.head
    assert b"text/html" in page.head
    assert b"<html>Bad gateway</html>" == page.body
    assert b"200" in broken.head
    assert b'{"items": [' == broken.body


@pytest.mark.parametrize("count", [0, 1, 100])
async def test_a_cut_body_announces_more_than_it_sends(count: int, sandbox: Sandbox) -> None:
    """The head is true, so many bytes come, and the connection is closed in good order."""
    whole = await raw(sandbox)
    sandbox.fail(cut_body=count)

    cut = await raw(sandbox)

    assert whole.length == len(whole.body) == cut.length
    assert (whole.body[:count], None) == (cut.body, cut.error)


async def test_a_compressed_body_is_cut_as_sent(sandbox: Sandbox) -> None:
    """The bytes that count are those on the wire."""
    sandbox.fail(cut_body=50)

    cut, whole = [await raw(sandbox, "/data-collections", "Accept-Encoding: gzip") for _ in range(2)]

    assert whole.body[:50] == cut.body
    assert gzip.decompress(whole.body).startswith(b'{"items":[')


async def test_a_reset_comes_before_any_byte(sandbox: Sandbox) -> None:
    """The connection is reset, not closed, and the request is on record without a status."""
    sandbox.fail(reset=True)

    ended = await raw(sandbox)

    assert Raw(b"", b"", ConnectionResetError) == ended
    assert [None] == [request.status for request in sandbox.requests]


async def test_a_reset_can_come_inside_the_body(sandbox: Sandbox) -> None:
    """With cut_body the head comes first, then the reset."""
    sandbox.fail(cut_body=10, reset=True)

    ended = await raw(sandbox)

    assert ConnectionResetError is ended.error
    assert len(ended.body) <= 10
    assert [200] == [request.status for request in sandbox.requests]


async def test_a_delay_holds_the_head_back(sandbox: Sandbox) -> None:
    """The request has arrived and has no answer, while others are answered."""
    sandbox.fail("*/14", delay=math.inf)

    async with request(sandbox, "/data-collections/14") as reader:
        other = await raw(sandbox, "/data-collections/1")
        nothing = asyncio.ensure_future(reader.read(1))

        assert b"200 OK" in other.head
        assert [None, 200] == [request.status for request in sandbox.requests]
        assert not nothing.done()
        nothing.cancel()


async def test_latency_and_delay_add_up(monkeypatch: pytest.MonkeyPatch, ask: Any) -> None:
    """Every answer waits for the latency, a delayed one for both."""
    waits: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        waits.append(seconds)
        await sleep(0)

    async with Sandbox(latency=0.25) as sandbox:
        sandbox.fail(delay=2)
        monkeypatch.setattr("aegis_async.sandbox._wire.asyncio.sleep", note)
        for _ in range(2):
            await ask(sandbox, "/data-collections/14")
        monkeypatch.undo()

    assert [2.25, 0.25] == [seconds for seconds in waits if seconds]


async def test_faults_are_used_up_in_the_order_of_scripting(sandbox: Sandbox, ask: Any) -> None:
    """First come, first served, each as often as it says, and then the truth."""
    sandbox.fail(status=500, times=2)
    sandbox.fail(status=503)

    assert [500, 500, 503, 200] == [(await ask(sandbox, "/data-collections/14")).status for _ in range(4)]


@pytest.mark.parametrize("times", [None, math.inf])
async def test_a_fault_can_stay_until_it_is_cleared(times: float | None, sandbox: Sandbox, ask: Any) -> None:
    """None and inf are for ever; clear_faults ends that."""
    sandbox.fail(status=500, times=times)
    statuses = [(await ask(sandbox, "/data-collections")).status for _ in range(5)]

    sandbox.clear_faults()

    assert [500] * 5 == statuses
    assert 200 == (await ask(sandbox, "/data-collections")).status


@pytest.mark.parametrize(
    ("pattern", "hit"),
    [
        ("*", ["/data-collections", "/data-collections/1", "/data-collections/14", "/runs"]),
        ("/data-collections", ["/data-collections"]),
        ("/data-collections/*", ["/data-collections/1", "/data-collections/14"]),
        ("*/1?", ["/data-collections/14"]),
        ("/[rd]*s", ["/data-collections", "/runs"]),
    ],
)
async def test_a_pattern_picks_the_requests(pattern: str, hit: list[str], sandbox: Sandbox, ask: Any) -> None:
    """The path relative to the url is matched as a shell would, without its query."""
    sandbox.fail(pattern, status=500, times=None)
    paths = ["/data-collections", "/data-collections/1", "/data-collections/14", "/runs"]

    statuses = {path: (await ask(sandbox, f"{path}?page=1")).status for path in paths}

    assert hit == [path for path in paths if statuses[path] == 500]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"status": 99}, "status must be between 200 and 599, not 99"),
        ({"status": 600}, "status must be between 200 and 599, not 600"),
        ({"delay": -1}, "delay must be 0 seconds or more, not -1"),
        ({"delay": math.nan}, "delay must be 0 seconds or more, not nan"),
        ({"cut_body": -1}, "cut_body must be 0 bytes or more, not -1"),
        ({"times": 0}, "times must be a whole number from 1 on, inf or None, not 0"),
        ({"times": 1.5}, "times must be a whole number from 1 on, inf or None, not 1.5"),
        ({"times": math.nan}, "times must be a whole number from 1 on, inf or None, not nan"),
        ({"retry_after": "1\r\nX: y"}, "retry_after must fit in one header line"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(arguments: dict[str, Any], complaint: str) -> None:
    """The error names the argument, its bounds and what was given."""
    with pytest.raises(ValueError, match=complaint):
        Sandbox().fail(**arguments)


def test_a_fault_happens_as_often_as_scripted_on_many_connections() -> None:
    """Requests from many connections at once use up a fault exactly."""
    with Sandbox() as sandbox:
        sandbox.fail(status=500, times=20)

        async def everyone() -> list[Raw]:
            return await asyncio.gather(*(raw(sandbox, "/data-collections/14") for _ in range(50)))

        heads = [one.head for one in asyncio.run(everyone())]

    assert 20 == sum(b" 500 " in head for head in heads)
    assert 50 == len(sandbox.requests)
