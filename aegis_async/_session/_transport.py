"""One attempt: one request on the wire, read to its end. The only one that speaks to the aiohttp client."""

import asyncio
import logging
import platform
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from ssl import SSLContext
from types import SimpleNamespace
from typing import Final
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientSession, hdrs
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from aegis_async._config import ApiKey, Timeout, checked_proxy
from aegis_async._session._call import Timings
from aegis_async._session._coding import ACCEPTED, PIECE, CutError, Decoding, GarbledError
from aegis_async._session._faults import Broken, TooLarge, fault_of
from aegis_async._session._pool import Pool
from aegis_async._session._request import RawResponse, Request
from aegis_async._session._status import masked
from aegis_async._session._timeouts import Running, Timeouts
from aegis_async._version import __version__
from aegis_async.errors import ClientClosedError

__all__ = ["ClientSession", "Transport", "Wire"]

log: Final = logging.getLogger("aegis_async")

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS: Final = 5
_ERROR_BODY: Final = 65_536  # bytes: enough for any detail; the rest of a huge error page is not worth a wait
_USER_AGENT: Final = f"aegis-async/{__version__} Python/{platform.python_version()} aiohttp/{aiohttp.__version__}"


@dataclass(frozen=True, slots=True)
class Wire:
    """How to reach the service.

    Attributes:
        base_url: Without a final slash.
        key: For the Authorization header of every request.
        max_body_size: Bytes of one body after decompression.
        session: A session of the caller's, used and never closed or changed.
        proxy: A proxy for every request.
        trust_env: Whether to look for a proxy in the environment.
        ssl: The caller's TLS settings; None verifies against the system's authorities.
        headers: More headers for every request.
        traced: Whether somebody wants to know how long connections take.
    """

    base_url: URL
    key: ApiKey
    max_body_size: int
    session: ClientSession | None = None
    proxy: str | None = field(default=None, repr=False)  # may hold a password
    trust_env: bool = False
    ssl: SSLContext | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # may hold a secret of a gateway
    traced: bool = False


async def _once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise Broken from error


_MIDDLEWARES: Final = (_once,)


class Transport:
    """The connections of one client in one event loop."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.key: ApiKey = wire.key
        self._headers: Mapping[str, str] = {
            "Accept": "application/json",
            "Accept-Encoding": ACCEPTED,
            "User-Agent": _USER_AGENT,
            **wire.headers,
            "Authorization": wire.key.authorization,
        }
        self._proxy = wire.proxy or (_environment_proxy(wire.base_url) if wire.trust_env else None)
        self._timeouts = Timeouts(hears=wire.session is None)
        self._ssl = wire.ssl or True
        self._open: AsyncGenerator[ClientSession] | None = None
        self._session = wire.session
        # A session would show its own headers to a proxy on the way to https, and the key as Proxy-Authorization.
        self._own_headers: Mapping[str, str] | None = self._headers if wire.session or self._proxy else None

    async def send(
        self, request: Request, timeout: Timeout, total: float | None = None, timings: Timings | None = None
    ) -> RawResponse:
        """Make one attempt, following redirects within the origin.

        Args:
            request: What to ask.
            timeout: The limits of an attempt.
            total: Seconds that are left for it, where they are fewer than ``timeout.attempt``.
            timings: Where to note how long its parts took; None saves the trouble.

        Raises:
            APIConnectionError: The connection failed or broke off.
            RequestTimeoutError: ``timeout`` ran out.
            RequestError: The body is larger than the limit.
            ClientClosedError: The session is closed: by its owner, or with the client while a redirect was followed.
        """
        running = self._timeouts.begin(timeout, total)
        try:
            url = request.under(self._wire.base_url)
            raw = await self._exchange(request, url, running, timings)
            if raw.status in _REDIRECTS:
                raw = await self._followed(raw, request, url, running)
        except (aiohttp.ClientError, OSError, UnicodeError, Broken, TooLarge, CutError, GarbledError) as error:
            fault = fault_of(error, request, timeout)
        except asyncio.CancelledError:
            late = running.over()
            if late is None:
                raise
            fault = fault_of(late(), request, timeout)
        else:
            return raw
        finally:
            self._timeouts.end(running)
        # Raised out here, so that no aiohttp error, which holds the key, is the context of ours.
        raise masked(fault, self._wire.key)

    async def aclose(self) -> None:
        """Close the connections; a session of the caller's stays open."""
        self._timeouts.close()
        if self._open is not None:
            await self._open.aclose()

    async def _followed(self, raw: RawResponse, request: Request, url: URL, running: Running) -> RawResponse:
        for _ in range(_MAX_REDIRECTS):
            target = _redirected(raw, url)
            if target is None:
                break
            url = target
            raw = await self._exchange(request, url, running, None)
        return raw

    async def _exchange(self, request: Request, url: URL, running: Running, timings: Timings | None) -> RawResponse:
        session = self._session or await self._opened()
        if session.closed:
            raise ClientClosedError("the session is closed: it was handed in, or the client has ended it")
        begun = time.monotonic() if timings else 0.0
        response = await session.request(
            request.method,
            url,
            headers=self._own_headers if request.etag is None else self._conditional(request.etag),
            allow_redirects=False,
            raise_for_status=False,
            timeout=running.client,
            proxy=self._proxy,
            ssl=self._ssl,
            middlewares=_MIDDLEWARES,
            auto_decompress=False,  # it would take a stream that is cut for a whole one
            trace_request_ctx=timings,
        )
        headed = time.monotonic() if timings else 0.0
        limit = request.max_size or self._wire.max_body_size
        try:
            body = _body_at_hand(response, limit) or await _body(response, limit, running)
        except BaseException:
            response.close()
            raise
        if timings:
            timings.first_byte, timings.body = headed - begun, time.monotonic() - headed
        return RawResponse(response.status, body, response.headers)

    def _conditional(self, etag: str) -> Mapping[str, str]:
        return {**(self._own_headers or {}), "If-None-Match": etag}

    async def _opened(self) -> ClientSession:
        self._open = self._pool()
        self._session = await anext(self._open)
        return self._session

    async def _pool(self) -> AsyncGenerator[ClientSession]:
        # A generator, because a loop that shuts down ends its generators: the pool never outlives its loop.
        session = ClientSession(
            headers=None if self._proxy else self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=Pool(self._timeouts),
            trace_configs=[_connects()] if self._wire.traced else None,
        )
        try:
            yield session
        finally:
            await session.close()


def _body_at_hand(response: ClientResponse, limit: int) -> bytes | None:
    """Give the body that came together with the head, as most do; None for what takes more than that."""
    content = response.content
    if not (content.is_eof() and response.ok) or hdrs.CONTENT_ENCODING in response.headers:
        return None
    if content.total_bytes > limit:
        raise TooLarge(limit)
    return content.read_nowait()


async def _body(response: ClientResponse, limit: int, running: Running) -> bytes | bytearray:
    running.heard()
    if not response.ok:
        return await _start_of_body(response, running)
    if (response.content_length or 0) > limit:
        raise TooLarge(limit)
    line = _line_of(response)
    if hdrs.CONTENT_ENCODING in response.headers:
        body = await _decoded(response, limit, running)
    else:
        body = bytearray()
        while chunk := await response.content.readany():
            running.heard()
            body += chunk
            if len(body) > limit:
                raise TooLarge(limit)
    if line is not None and isinstance(line.exception(), aiohttp.ClientOSError):
        raise CutError("the connection was reset")
    return body


async def _decoded(response: ClientResponse, limit: int, running: Running) -> bytearray:
    decoding, body = _decoding(response), bytearray()
    while chunk := await response.content.readany():
        running.heard()
        for piece in decoding.feed(chunk):
            body += piece
            if len(body) > limit:
                raise TooLarge(limit)
            if len(piece) == PIECE:
                await asyncio.sleep(0)  # a chunk can hold a thousand times its size
    decoding.end()
    return body


async def _start_of_body(response: ClientResponse, running: Running) -> bytes:
    content, body = response.content, bytearray()
    decoding: Decoding | None = None
    try:
        while len(body) < _ERROR_BODY and (chunk := await content.readany()):
            running.heard()
            decoding = decoding or _decoding(response)
            for piece in decoding.feed(chunk):
                body += piece
                if len(body) >= _ERROR_BODY:
                    break
    except GarbledError:
        log.debug("the body of a %d is not in the coding that it names", response.status)  # the status is what counts
    if not content.at_eof():
        response.close()
    return bytes(body[:_ERROR_BODY])


def _line_of(response: ClientResponse) -> ResponseHandler | None:
    """Give the line whose end is the body's end; None where the head tells how long the body is.

    On such a line aiohttp takes a reset for an end.
    """
    headers, connection = response.headers, response.connection
    if connection is None or hdrs.CONTENT_LENGTH in headers or hdrs.TRANSFER_ENCODING in headers:
        return None
    return connection.protocol


def _decoding(response: ClientResponse) -> Decoding:
    return Decoding(response.headers.getall("Content-Encoding", ()))


def _connects() -> aiohttp.TraceConfig:
    """Note in an attempt's timings how long a new connection took."""

    async def started(_: ClientSession, context: SimpleNamespace, __: object) -> None:
        context.begun = time.monotonic()

    async def ended(_: ClientSession, context: SimpleNamespace, __: object) -> None:
        _note_connect(context, time.monotonic() - context.begun)

    async def reused(_: ClientSession, context: SimpleNamespace, __: object) -> None:
        _note_connect(context, 0.0)

    config = aiohttp.TraceConfig()
    config.on_connection_create_start.append(started)
    config.on_connection_create_end.append(ended)
    config.on_connection_reuseconn.append(reused)
    return config


def _note_connect(context: SimpleNamespace, seconds: float) -> None:
    if isinstance(context.trace_request_ctx, Timings):
        context.trace_request_ctx.connect = seconds


def _redirected(raw: RawResponse, url: URL) -> URL | None:
    location = raw.headers.get("Location")
    if raw.status not in _REDIRECTS or not location:
        return None
    try:
        target = url.join(URL(location))
        within = target.origin() == url.origin() and target.user is None
    except ValueError:  # no URL at all
        return None
    return target if within else None


def _environment_proxy(url: URL) -> str | None:
    # Not aiohttp's trust_env: it also reads NETRC, and an entry there makes every request fail.
    if proxy_bypass(url.host or ""):
        return None
    proxy = getproxies().get(url.scheme)
    if not proxy:
        return None
    # Other tools take a host and a port alone, too.
    return checked_proxy(f"{url.scheme}_proxy of the environment", proxy if "://" in proxy else f"http://{proxy}")
