"""Claims about what a server does between two requests of one connection, or before the first."""

import asyncio
import gzip
from contextlib import suppress

import pytest

from aegis_async import AegisClient, RetryPolicy, Timeout
from aegis_async.errors import APIConnectionError, ServerError, StatusError
from tests.session.catalogue import FAULTS, JSON
from tests.session.connecting import CONNECTING, tls, trusting
from tests.session.fault import Fault
from tests.session.test_faults import scene
from tests.session.wire import HANG_UP, KEY, RESET, Answer, Wire, chunks, ended, head, http, once, wire

TWICE = RetryPolicy(max_attempts=2, initial=0)


def client_of(served: Wire) -> AegisClient:
    """Give a client that tries twice without waiting."""
    return AegisClient(KEY, base_url=served.url, retry=TWICE, timeout=Timeout(connect=2, read=2, attempt=4))


async def idle(client: AegisClient, *, closed: bool = False) -> None:
    """Wait until the client's idle connection has heard what the server said, or that it ended."""
    session = client._session._transport._session
    assert session is not None
    assert session.connector is not None
    ((protocol, _),) = next(iter(session.connector._conns.values()))
    async with asyncio.timeout(5):
        while protocol.is_connected() if closed else not len(protocol):
            await asyncio.sleep(0)


@pytest.mark.parametrize("end", [HANG_UP, RESET], ids=["closed", "reset"])
async def test_a_connection_that_ended_while_idle_costs_no_attempt(end: Answer) -> None:
    """When the end of a kept connection is known, the next request goes on a new one at its first attempt."""
    async with wire((http(b"1"), end), http(b"2")) as served, client_of(served) as client:  # type: ignore[arg-type]  # ends are steps
        assert 1 == await client.fetch("/x", int)
        await idle(client, closed=True)
        assert 2 == await client.fetch("/x", int)

        assert (2, 0) == (client.stats().attempts, client.stats().retries)
    assert (2, 2) == (len(served.heads), served.connections)


@pytest.mark.parametrize("end", [HANG_UP, RESET], ids=["closed", "reset"])
async def test_a_connection_that_ends_under_a_request_costs_one_attempt(end: Answer) -> None:
    """A kept connection that ends as the next request comes is one attempt; the second succeeds, and none is hidden."""
    async with wire(http(b"1"), end, http(b"2")) as served, client_of(served) as client:
        assert 1 == await client.fetch("/x", int)
        assert 2 == await client.fetch("/x", int)

        assert (3, 1) == (client.stats().attempts, client.stats().retries)
    assert 3 == len(served.heads)


@pytest.mark.parametrize(
    "unasked",
    [
        http(b"666"),
        http(b"666") * 3,
        head("408 Request Timeout", Content_Length="0"),
        head(Transfer_Encoding="chunked") + chunks(b"666"),
        head(),
    ],
    ids=["an answer", "several", "a farewell", "half a body", "a head"],
)
async def test_an_answer_to_nothing_is_nobodys(unasked: bytes) -> None:
    """What a server says on an idle connection is never taken for the answer to the next request."""
    said = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        writer.write(http(f'"{path}"'.encode()))
        if path.endswith("1"):
            await said.wait()
            writer.write(unasked)
            await reader.read()
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with once(url, timeout=2) as client:
            assert "/1" == await client.fetch("/1", str)
            said.set()
            await idle(client, closed=True)
            assert "/2" == await client.fetch("/2", str)
            assert 2 == client.stats().attempts


@pytest.mark.parametrize(
    "flood",
    [http(b"666"), b"x", head() + b"x", head(Transfer_Encoding="chunked")],
    ids=["answers", "junk", "a body", "heads"],
)
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
async def test_a_flood_on_an_idle_connection_ends_it(flood: bytes, secure: bool) -> None:
    """The first bytes that nobody asked for close the connection, so that no flood of them fills memory."""
    is_idle, is_over = asyncio.Event(), asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(http(b"1"))
        await is_idle.wait()
        with suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(flood * 1000)
                await writer.drain()
                await asyncio.sleep(0)
        await ended(writer)
        is_over.set()

    async with await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls() if secure else None) as server:
        url = f"http{'s' * secure}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with once(url, timeout=2, ssl=trusting() if secure else None) as client, asyncio.timeout(5):
            assert 1 == await client.fetch("/1", int)
            is_idle.set()
            await is_over.wait()


@pytest.mark.parametrize("rest", [http(b"666"), b"\r\n" * 50], ids=["an answer", "line ends"])
async def test_what_follows_a_whole_body_is_not_read(rest: bytes) -> None:
    """A body longer than its Content-Length is cut there, and what follows reaches no later request."""
    async with wire(http(b"1") + rest, http(b"2")) as served, client_of(served) as client:
        assert 1 == await client.fetch("/x", int)
        assert 2 == await client.fetch("/x", int)
    assert 2 == len(served.heads)


@pytest.mark.parametrize(
    ("greeting", "error", "says"),
    [
        (b"220 smtp.example ESMTP\r\n\r\n", APIConnectionError, "the answer is not HTTP"),
        (http(b"", "503 Busy"), ServerError, "503"),
        (head("408 Request Timeout", Content_Length="0"), StatusError, "408"),
    ],
    ids=["another protocol", "busy", "farewell"],
)
async def test_a_server_that_speaks_first_is_understood(greeting: bytes, error: type[Exception], says: str) -> None:
    """A new connection that begins with an answer, as an overloaded server's does, gives that answer's error."""
    async with wire(None, greeting=greeting) as served, once(served.url, timeout=2) as client:
        with pytest.raises(error, match=says):
            await client.fetch("/x", bytes)


@pytest.mark.parametrize(
    "fault", [fault for fault in FAULTS if fault.again and fault not in CONNECTING], ids=lambda fault: fault.what
)
async def test_after_a_passing_fault_the_next_attempt_succeeds(fault: Fault) -> None:
    """A fault that passes costs one attempt: the second gets its answer, and the server has seen no other request."""
    async with scene(fault) as (served, client):
        served.then(http(JSON))
        assert 500 == len((await client.fetch("/x", dict[str, list[int]]))["rows"])

        stats = client.stats()
        assert (2, 1, 0) == (stats.attempts, stats.retries, stats.in_flight)
    assert 2 == len(served.heads)


@pytest.mark.parametrize("status", ["100 Continue", "102 Processing", "103 Early Hints"])
async def test_an_interim_answer_is_passed_over(status: str) -> None:
    """What comes before the answer proper, with a 1xx, is not the answer."""
    async with wire(head(status, Link="</x>") + http(b"7")) as served, once(served.url) as client:
        assert 7 == await client.fetch("/x", int)


@pytest.mark.parametrize("encoded", [True, False])
async def test_an_error_is_told_whatever_its_body(encoded: bool) -> None:
    """The detail of a compressed error is read, and one whose coding lies keeps its status."""
    body = b'{"detail": "because"}'
    answer = http(gzip.compress(body) if encoded else body, "404 X", Content_Encoding="gzip")
    async with wire(answer) as served, once(served.url) as client:
        with pytest.raises(StatusError) as caught:
            await client.fetch("/x", bytes)

    assert (404, "because" if encoded else None) == (caught.value.status, caught.value.detail)
