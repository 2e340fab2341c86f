"""Claims about where a request goes, what goes along, and what is never shown."""

import asyncio
import logging
from pathlib import Path

import pytest
from aiohttp import ClientSession, TraceConfig, TraceRequestStartParams

from aegis_async import AegisClient, RetryPolicy, Timeout
from aegis_async.errors import (
    AegisError,
    APIConnectionError,
    ClientClosedError,
    RequestTimeoutError,
    StatusError,
)
from tests.session.wire import HANG_UP, KEY, http, once, wire


async def test_a_redirect_within_the_origin_is_followed() -> None:
    """A redirect to the same origin is followed with the key, a bounded number of times."""
    async with wire(http(b"", "307 X", Location="/elsewhere"), http(b'"here"')) as served, once(served.url) as client:
        assert "here" == await client.fetch("/x", str)

    assert served.heads[1].startswith("GET /elsewhere HTTP/1.1")
    assert f"Bearer {KEY}" in served.heads[1]


@pytest.mark.parametrize(
    "location", ["http://localhost:1/x", "https://example.org/", "//example.org/", "http://[", "http://u:p@127.0.0.1/"]
)
async def test_a_redirect_to_another_origin_is_not_followed(location: str) -> None:
    """A redirect that leaves the origin is an error with its status, and the key goes nowhere."""
    async with wire(http(b"", "302 X", Location=location)) as served, once(served.url) as client:
        with pytest.raises(StatusError, match="302: a redirect that leaves") as caught:
            await client.fetch("/x", bytes)

    assert 302 == caught.value.status
    assert 1 == len(served.heads)


async def test_a_redirect_in_circles_ends() -> None:
    """A server that redirects for ever is asked six times."""
    async with wire(http(b"", "302 X", Location="/again")) as served, once(served.url) as client:
        with pytest.raises(StatusError, match="one too many"):
            await client.fetch("/x", bytes)

    assert 6 == len(served.heads)


async def test_redirects_share_the_time_of_their_attempt() -> None:
    """A server that redirects and then falls silent is given up after the attempt's time, not each hop's."""
    answers = [http(b"", "302 X", Location="/again"), None]
    async with wire(*answers) as served, once(served.url, timeout=0.5) as client:
        with pytest.raises(RequestTimeoutError, match=r"not done within 0\.5 s"):
            await client.fetch("/x", bytes)

    assert 2 == len(served.heads)


async def test_a_host_that_dns_cannot_hold_is_a_connection_error() -> None:
    """A label of more than 63 characters is an error of ours, not a UnicodeError."""
    async with once(f"https://{'a' * 64}.invalid") as client:
        with pytest.raises(APIConnectionError, match="no name that DNS could hold"):
            await client.fetch("/x", bytes)


async def test_cookies_are_not_kept() -> None:
    """A cookie that the service sets is not sent back."""
    async with (
        wire(http(Set_Cookie="a=b; Path=/")) as served,
        once(served.url.replace("127.0.0.1", "localhost")) as client,
    ):
        await client.fetch("/x", bytes)
        await client.fetch("/x", bytes)

    assert not any("cookie" in head.lower() for head in served.heads)


async def test_a_request_says_who_asks() -> None:
    """The head carries the key, the versions and what is wanted, and nothing of the caller's environment."""
    async with wire(http()) as served, once(served.url) as client:
        await client.fetch("/x", bytes, {"shared": True, "n": 1, "name": "a b&c", "none": None})

    head = served.heads[0]
    assert head.startswith("GET /api/x?shared=true&n=1&name=a+b%26c HTTP/1.1\r\n")
    assert f"Authorization: Bearer {KEY}\r\n" in head
    assert "User-Agent: aegis-async/" in head


async def test_netrc_is_never_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With ``trust_env=True`` an entry for the service's host changes nothing: the key alone goes there."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password s3cret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    async with wire(http(b"7")) as served, once(served.url, trust_env=True) as client:
        assert 7 == await client.fetch("/x", int)

    assert [f"Authorization: Bearer {KEY}"] == [
        line for line in served.heads[0].splitlines() if line.startswith("Authorization")
    ]


async def test_the_proxy_of_the_environment_is_used_only_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY gets nothing by default, and everything with ``trust_env=True``, unless NO_PROXY names the host."""
    async with wire(http(b'"service"')) as service, wire(http(b'"proxy"')) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setattr("aegis_async._session._transport.proxy_bypass", lambda _host: False)
        async with once(service.url) as direct, once(service.url, trust_env=True) as trusting:
            assert "service" == await direct.fetch("/x", str)
            assert "proxy" == await trusting.fetch("/x", str)
        monkeypatch.setattr("aegis_async._session._transport.proxy_bypass", lambda _host: True)
        async with once(service.url, trust_env=True) as bypassing:
            assert "service" == await bypassing.fetch("/x", str)


async def test_a_proxy_of_the_environment_needs_no_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    """``http_proxy=host:port``, as other tools take it, is a proxy that speaks HTTP."""
    async with wire(http(b'"proxy"')) as proxy:
        monkeypatch.setenv("http_proxy", f"127.0.0.1:{proxy.port}")
        monkeypatch.setattr("aegis_async._session._transport.proxy_bypass", lambda _host: False)
        async with once("http://127.0.0.1:9", trust_env=True) as client:
            assert "proxy" == await client.fetch("/x", str)


async def test_a_session_of_the_callers_is_used_and_left_alone() -> None:
    """A session handed in carries the request, stays open, and keeps the key out of its own headers."""
    async with wire(http(b'"x"')) as served, ClientSession(headers={"X-Mine": "1"}) as session:
        async with once(served.url, session=session) as client:
            assert "x" == await client.fetch("/x", str)
        assert not session.closed
        assert "Authorization" not in session.headers

    assert "X-Mine: 1" in served.heads[0]
    assert f"Bearer {KEY}" in served.heads[0]


async def test_a_callers_session_makes_one_request_an_attempt() -> None:
    """A session handed in does not repeat a request by itself either."""
    async with wire(HANG_UP) as served, ClientSession() as session, once(served.url, session=session) as client:
        with pytest.raises(APIConnectionError):
            await client.fetch("/x", bytes)

    assert 1 == len(served.heads)


async def test_a_callers_session_may_ask_through_the_client_meanwhile() -> None:
    """A trace of a session handed in that makes a call of its own inside of another disturbs neither."""
    trace, inner = TraceConfig(), []

    async def started(_: ClientSession, __: object, params: TraceRequestStartParams) -> None:
        if params.url.path.endswith("/outer"):
            inner.append(await client.fetch("/inner", int))

    trace.on_request_start.append(started)
    async with (
        wire(http(b"1"), http(b"2")) as served,
        ClientSession(trace_configs=[trace]) as session,
        once(served.url, session=session, single_flight=False) as client,
    ):
        outer = await client.fetch("/outer", int)

    assert ([1], 2) == (inner, outer)


async def test_a_callers_session_keeps_the_limits_of_a_client_that_is_closed() -> None:
    """Closing leaves an attempt in a session handed in on the wire, and within its time: it does not wait for ever."""
    async with wire(None) as served, ClientSession() as session:
        client = once(served.url, session=session, single_flight=False, timeout=Timeout(attempt=0.2))
        call = asyncio.create_task(client.fetch("/x", bytes))
        while not served.heads:
            await asyncio.sleep(0)

        await client.aclose()

        with pytest.raises(ClientClosedError):
            async with asyncio.timeout(5):
                await call


async def test_a_callers_session_that_is_closed_says_so() -> None:
    """A request through a session that its owner closed is a ClientClosedError."""
    session = ClientSession()
    await session.close()
    async with once("http://127.0.0.1:1", session=session) as client:
        with pytest.raises(ClientClosedError, match="the session is closed"):
            await client.fetch("/x", bytes)


async def test_the_key_is_in_no_error_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever fails, and though the service repeats the key, no error, no chain and no log line holds it."""
    echo = f'{{"detail": "bad key {KEY}"}}'.encode()
    complaint = f'{{"detail": [{{"loc": ["header"], "msg": "bad {KEY}", "type": "x"}}]}}'.encode()
    answers: list[bytes | None] = [
        http(echo, "401 X", X_Request_ID=KEY),
        http(complaint, "422 X"),
        http(echo, "500 X"),
        http(echo),
        http(f"<html>{KEY}".encode()),
        f"HTTP/1.1 {KEY}\r\n\r\n".encode(),
        HANG_UP,
        http(b"", "302 X", Location=f"https://example.org/{KEY}"),
        None,
    ]
    caplog.set_level(logging.DEBUG)
    for answer in answers:
        async with wire(answer) as served:
            retry = RetryPolicy(max_attempts=2, initial=0)
            async with AegisClient(KEY, base_url=served.url, retry=retry, timeout=Timeout(read=0.05)) as client:
                with pytest.raises(AegisError) as caught:
                    await client.fetch("/x", int)
                seen = " ".join(map(repr, chain(caught.value))) + repr(client) + repr(client.data_collections)
        assert KEY not in seen + caplog.text


def chain(error: BaseException | None) -> list[object]:
    """Give an error, its attributes, and those of everything behind it."""
    if error is None:
        return []
    return [error, str(error), error.args, vars(error), *chain(error.__cause__), *chain(error.__context__)]


async def test_a_good_day_logs_nothing_above_debug(client: AegisClient, caplog: pytest.LogCaptureFixture) -> None:
    """One DEBUG line an attempt, and nothing else from this package."""
    with caplog.at_level(logging.DEBUG, "aegis_async"):
        await client.data_collections.get(1)

    assert [("aegis_async", logging.DEBUG, "GET /data-collections/1: 200 (attempt 1 of 4)")] == [
        record for record in caplog.record_tuples if record[0] == "aegis_async"
    ]
