"""Claims about attempts against a real server: one request each, and the right error for each fault."""

import gzip
import zlib
from typing import Any

import msgspec
import pytest

from aegis_async import AegisClient, Timeout
from aegis_async.errors import (
    AegisError,
    APIConnectionError,
    AuthenticationError,
    DecodeError,
    NotFoundError,
    OrganizationRequiredError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    RequestError,
    RequestTimeoutError,
    RequestValidationError,
    ServerError,
    StatusError,
    Violation,
)
from aegis_async.sandbox import Sandbox
from tests.conftest import FakeClock
from tests.session.wire import HANG_UP, KEY, http, once, wire


async def test_retry_after_wins_over_backoff(sandbox: Sandbox, client: AegisClient, clock: FakeClock) -> None:
    """A 429 with Retry-After waits that long, not the computed backoff."""
    sandbox.fail(status=429, retry_after=7)

    await client.data_collections.list().first()

    assert [7.0] == clock.sleeps
    assert 2 == len(sandbox.requests)


@pytest.mark.parametrize("fault", [{"reset": True}, {"cut_body": 10}, {"status": 503}], ids=str)
@pytest.mark.parametrize("warm", [False, True], ids=["fresh", "kept alive"])
async def test_each_attempt_is_one_request_at_the_server(
    fault: dict[str, Any],
    warm: bool,
    sandbox: Sandbox,
    client: AegisClient,
) -> None:
    """However a connection fails, four attempts are four requests: the HTTP library repeats none by itself."""
    if warm:
        await client.data_collections.get(1)
    sandbox.clear_requests()
    sandbox.fail(**fault, times=None)

    with pytest.raises(AegisError) as caught:
        await client.data_collections.get(1)

    assert 4 == len(sandbox.requests)
    assert 4 == caught.value.attempts  # type: ignore[attr-defined]  # every error of a request has it
    assert "(attempt 4 of 4)" in str(caught.value)


@pytest.mark.parametrize(
    "sent", [b"", http()[:20], http(b"{" * 50)[:-10]], ids=["nothing", "half a head", "half a body"]
)
async def test_a_connection_that_drops_is_one_request(sent: bytes) -> None:
    """A server that hangs up at any point has seen the one request of the one attempt."""
    answer = (sent, HANG_UP) if sent else HANG_UP
    async with wire(answer) as served, once(served.url) as client:
        with pytest.raises(APIConnectionError):
            await client.fetch("/x", bytes)

    assert 1 == len(served.heads)


async def test_a_body_that_is_cut_is_fetched_again(sandbox: Sandbox, client: AegisClient) -> None:
    """A body that ends early is no answer; the next attempt gives the whole of it."""
    sandbox.fail(cut_body=100)

    assert 14 == (await client.data_collections.get(14)).id
    assert 2 == len(sandbox.requests)


async def test_a_json_that_breaks_off_is_fetched_once_more(clock: FakeClock) -> None:
    """A 200 with a matching length whose JSON breaks off gets one more attempt, not three."""
    async with wire(http(b'{"a": 1, "b": ')) as served, AegisClient(KEY, base_url=served.url) as client:
        client._session.clock = clock.as_clock()
        with pytest.raises(DecodeError, match=r"the JSON breaks off.*\(GET /x\) \(attempt 2 of 4\)"):
            await client.fetch("/x", dict[str, int])

    assert 2 == len(served.heads)


@pytest.mark.parametrize("level", [0, 9], ids=["gives a part", "gives nothing"])
async def test_a_gzip_body_cut_short_is_fetched_again(clock: FakeClock, level: int) -> None:
    """A compressed body cut inside, with a Content-Length that matches the cut, is seen to break off."""
    whole = gzip.compress(b'{"rows": [' + b"1234567890, " * 500 + b"1]}", level)
    answer = http(whole[: len(whole) // 2], Content_Encoding="gzip")
    async with (
        wire(answer, http(whole, Content_Encoding="gzip")) as served,
        AegisClient(KEY, base_url=served.url) as client,
    ):
        client._session.clock = clock.as_clock()
        rows = await client.fetch("/x", dict[str, list[int]])

    assert 501 == len(rows["rows"])
    assert 2 == len(served.heads)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, StatusError),
        (401, AuthenticationError),
        (402, PaymentRequiredError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (409, StatusError),
        (422, RequestValidationError),
        (429, RateLimitError),
        (500, ServerError),
        (501, ServerError),
        (503, ServerError),
        (599, ServerError),
    ],
)
async def test_each_status_has_its_error(status: int, kind: type[StatusError]) -> None:
    """A status leads to exactly its class, with status, detail, request id and body."""
    answer = http(b'{"detail": "because"}', f"{status} X", X_Request_ID="req_1")
    async with wire(answer) as served, once(served.url) as client:
        with pytest.raises(StatusError, match=rf"^GET /x: {status}: because \(attempt 1 of 1\)$") as caught:
            await client.fetch("/x", bytes)

    error = caught.value
    assert kind is type(error)
    assert (status, "because", "req_1", 1) == (error.status, error.detail, error.request_id, error.attempts)
    assert '{"detail": "because"}' == error.body


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"<html>Bad gateway</html>", None),
        (b"", None),
        (b"\xff\xfe", None),
        (b'{"detail": {"code": 7}}', '{"code": 7}'),
        (b'{"detail": null}', "null"),
        (b'{"detail": [1]}', None),
        (b'"text"', None),
        (b'{"detail":' + b"[" * 5000, None),
    ],
)
async def test_a_body_of_any_shape_is_no_trouble(body: bytes, detail: str | None) -> None:
    """A proxy may answer with HTML, with nothing or with something else; the status is what counts."""
    async with wire(http(body, "502 Bad Gateway")) as served, once(served.url) as client:
        with pytest.raises(ServerError) as caught:
            await client.fetch("/x", bytes)

    assert detail == caught.value.detail


async def test_an_error_keeps_two_kibibytes_of_its_body() -> None:
    """A huge error page is read only at its start, kept shorter still, and leaves no connection blocked."""
    async with wire(http(b"x" * 4_000_000, "500 X")) as served, once(served.url, max_concurrency=1) as client:
        with pytest.raises(ServerError):
            await client.fetch("/x", bytes)
        with pytest.raises(ServerError) as caught:
            await client.fetch("/x", bytes)

    assert 2048 == len(caught.value.body)


async def test_a_422_names_the_parameter_and_the_reason(client: AegisClient) -> None:
    """The text and the violations of a 422 say which parameter is wrong and why."""
    with pytest.raises(
        RequestValidationError, match=r"422: query\.page_size: Input should be less than or equal"
    ) as caught:
        await client.fetch("/data-collections", bytes, {"page_size": 10_001})

    assert isinstance(caught.value.violations[0], Violation)
    assert ("query", "page_size") == caught.value.violations[0].loc


async def test_a_listing_without_an_organization_says_so(sandbox: Sandbox) -> None:
    """The 404 of a listing with ``shared=True`` is its own error."""
    async with AegisClient(sandbox.solo_api_key, base_url=sandbox.url) as client:
        with pytest.raises(OrganizationRequiredError):
            await client.data_collections.list(shared=True).first()


@pytest.mark.parametrize(
    ("timeout", "answer", "phase"),
    [
        (Timeout(read=0.05), None, "read"),
        (Timeout(read=0.05), http(b"{" + b" " * 100)[:-50], "read"),
        (Timeout(attempt=0.05), None, "attempt"),
    ],
    ids=["no head", "half a body", "whole attempt"],
)
async def test_a_timeout_says_which_and_how_long(timeout: Timeout, answer: bytes | None, phase: str) -> None:
    """A timeout names its phase and its limit, in the text and as attributes."""
    async with wire(answer) as served, once(served.url, timeout=timeout) as client:
        with pytest.raises(RequestTimeoutError, match=r"^GET /x: .*0\.05 s \(attempt 1 of 1\)$") as caught:
            await client.fetch("/x", bytes)

    assert (phase, 0.05, 1) == (caught.value.phase, caught.value.seconds, caught.value.attempts)
    assert f"{served.url}/x" == caught.value.url


async def test_a_handshake_that_never_ends_is_a_connect_timeout() -> None:
    """A server that accepts and never speaks TLS is given up after ``connect`` seconds."""
    async with wire(None) as served:
        url = served.url.replace("http://", "https://")
        async with once(url, timeout=Timeout(connect=0.05)) as client:
            with pytest.raises(RequestTimeoutError, match=r"no connection within 0\.05 s") as caught:
                await client.fetch("/x", bytes)

    assert "connect" == caught.value.phase


async def test_nobody_listening_is_a_connection_error(unused_tcp_port: int) -> None:
    """A refused connection is named as such, with the address."""
    async with once(f"http://127.0.0.1:{unused_tcp_port}") as client:
        with pytest.raises(APIConnectionError, match=rf"^GET /x: no connection: .*{unused_tcp_port}"):
            await client.fetch("/x", bytes)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        http(b"not gzip", Content_Encoding="gzip"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ],
    ids=["no HTTP", "no status", "no length", "huge header", "lying coding", "broken chunk"],
)
async def test_an_answer_that_is_not_http_is_a_connection_error(answer: bytes) -> None:
    """Malformed HTTP is a fault of the connection, never the service's 400."""
    async with wire(answer) as served, once(served.url, timeout=2) as client:
        with pytest.raises(APIConnectionError):
            await client.fetch("/x", bytes)


@pytest.mark.parametrize(
    "answer",
    [
        http(b"x" * 2000),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3e8\r\n" + b"x" * 1000 + b"\r\n" + b"3e8\r\n" + b"x" * 1000 + b"\r\n0\r\n\r\n",
        http(zlib.compress(b"x" * 5_000_000), Content_Encoding="deflate"),
        http(gzip.compress(b"x" * 3000), Content_Encoding="gzip"),
    ],
    ids=["by its length", "chunked", "bomb", "small bomb"],
)
async def test_a_body_above_the_limit_is_refused(answer: bytes) -> None:
    """A body larger than ``max_body_size`` is refused, by its length or as soon as the limit is passed."""
    async with wire(answer) as served, AegisClient(KEY, base_url=served.url, max_body_size=1999) as client:
        with pytest.raises(RequestError, match=r"larger than max_body_size \(1999\)"):
            await client.fetch("/x", bytes)

    assert 1 == len(served.heads)


async def test_a_body_in_many_pieces_is_whole(client: AegisClient) -> None:
    """A body that comes in many reads is put together in order."""
    page = await client.fetch("/data-collections", dict[str, msgspec.Raw], {"page_size": 20})

    assert {"items", "meta"} == set(page)
    assert 20 == len(msgspec.json.decode(page["items"]))
