"""One attempt: one request on the wire, read to its end. The only importer of the aiohttp client."""

import platform
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Final, Literal
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientSession, ClientTimeout
from yarl import URL

from aegis_async._config import ApiKey, Timeout
from aegis_async._session._request import RawResponse, Request
from aegis_async._session._status import masked
from aegis_async._version import __version__
from aegis_async.errors import APIConnectionError, ClientClosedError, RequestError, RequestTimeoutError

__all__ = ["ClientSession", "Transport", "Wire"]

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
    """

    base_url: URL
    key: ApiKey
    max_body_size: int
    session: ClientSession | None = None
    proxy: str | None = field(default=None, repr=False)  # may hold a password
    trust_env: bool = False
    ssl: SSLContext | None = None


class _Broken(Exception):  # noqa: N818 - never leaves this module
    """A fault of the connection on its way past aiohttp, which would repeat a GET by itself."""


async def _once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _Broken from error


class Transport:
    """The connections of one client in one event loop."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._headers: Mapping[str, str] = {
            "Authorization": wire.key.authorization,
            "Accept": "application/json",
            "User-Agent": _USER_AGENT,
        }
        self._proxy = wire.proxy or (_environment_proxy(wire.base_url) if wire.trust_env else None)
        self._timeouts: dict[Timeout, ClientTimeout] = {}
        self._open: AsyncGenerator[ClientSession] | None = None
        self._session = wire.session
        self._own_headers: Mapping[str, str] | None = self._headers if wire.session else None

    async def send(self, request: Request, timeout: Timeout, attempt: int, which: str) -> RawResponse:
        """Make one attempt, following redirects within the origin.

        Raises:
            APIConnectionError: The connection failed or broke off.
            RequestTimeoutError: ``timeout`` ran out.
            RequestError: The body is larger than ``max_body_size``.
            ClientClosedError: The session is closed: by its owner, or with the client while a redirect was followed.
        """
        try:
            return await self._followed(request, timeout)
        except (aiohttp.ClientError, OSError, UnicodeError, _Broken, _TooLarge) as error:
            fault = _fault(error, request, timeout, which)
        # Raised out here, so that no aiohttp error, which holds the key, is the context of ours.
        raise masked(fault, self._wire.key, attempt)

    async def aclose(self) -> None:
        """Close the connections; a session of the caller's stays open."""
        if self._open is not None:
            await self._open.aclose()

    async def _followed(self, request: Request, timeout: Timeout) -> RawResponse:
        begun = time.monotonic()
        url, limit = request.url, self._client_timeout(timeout)
        raw = await self._exchange(request, url, limit)
        for _ in range(_MAX_REDIRECTS):
            target = _redirected(raw, url)
            if target is None:
                break
            left = timeout.attempt - (time.monotonic() - begun)
            if left <= 0:
                raise TimeoutError
            url, limit = target, _client_timeout(timeout, left)
            raw = await self._exchange(request, url, limit)
        return raw

    async def _exchange(self, request: Request, url: URL, limit: ClientTimeout) -> RawResponse:
        session = self._session or await self._opened()
        if session.closed:
            raise ClientClosedError("the session is closed: it was handed in, or the client has ended it")
        response = await session.request(
            request.method,
            url,
            headers=self._own_headers,
            allow_redirects=False,
            raise_for_status=False,
            timeout=limit,
            proxy=self._proxy,
            ssl=self._wire.ssl or True,
            middlewares=(_once,),
        )
        try:
            body = await _body(response, request.max_size or self._wire.max_body_size)
        except BaseException:
            response.close()
            raise
        headers = response.headers
        return RawResponse(
            response.status,
            body,
            headers.getall("Retry-After", ()),
            headers.get("Date"),
            headers.get("X-Request-ID"),
            headers.get("Location"),
        )

    async def _opened(self) -> ClientSession:
        self._open = self._pool()
        self._session = await anext(self._open)
        return self._session

    async def _pool(self) -> AsyncGenerator[ClientSession]:
        # A generator, because a loop that shuts down ends its generators: the pool never outlives its loop.
        session = ClientSession(
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=0),
        )
        try:
            yield session
        finally:
            await session.close()

    def _client_timeout(self, timeout: Timeout) -> ClientTimeout:
        known = self._timeouts.get(timeout)
        if known is None:
            known = self._timeouts[timeout] = _client_timeout(timeout, timeout.attempt)
        return known


class _TooLarge(Exception):  # noqa: N818 - never leaves this module
    """The body is larger than the limit it carries."""


async def _body(response: ClientResponse, limit: int) -> bytes | bytearray:
    if not response.ok:
        return await _start_of_body(response)
    if (response.content_length or 0) > limit:
        raise _TooLarge(limit)
    first = await response.content.readany()
    if response.content.at_eof():
        if len(first) > limit:
            raise _TooLarge(limit)
        if not first and response.content_length and "Content-Encoding" in response.headers:
            # aiohttp does not mind that the compressed stream was cut before it gave anything.
            raise aiohttp.ClientPayloadError("the compressed body gives nothing")
        return first
    body = bytearray(first)
    while chunk := await response.content.readany():
        body += chunk
        if len(body) > limit:
            raise _TooLarge(limit)
    return body


async def _start_of_body(response: ClientResponse) -> bytes:
    body = bytearray()
    while len(body) < _ERROR_BODY and (chunk := await response.content.readany()):
        body += chunk
    if not response.content.at_eof():
        response.close()
    return bytes(body[:_ERROR_BODY])


def _client_timeout(timeout: Timeout, total: float) -> ClientTimeout:
    return ClientTimeout(total=total, connect=timeout.connect, sock_read=timeout.read)


def _redirected(raw: RawResponse, url: URL) -> URL | None:
    if raw.status not in _REDIRECTS or not raw.location:
        return None
    try:
        target = url.join(URL(raw.location))
        within = target.origin() == url.origin() and target.user is None
    except ValueError:  # no URL at all
        return None
    return target if within else None


def _environment_proxy(url: URL) -> str | None:
    # Not aiohttp's trust_env: it also reads NETRC, and an entry there makes every request fail.
    if proxy_bypass(url.host or ""):
        return None
    return getproxies().get(url.scheme)


def _fault(error: Exception, request: Request, timeout: Timeout, which: str) -> RequestError:
    cause = error.__cause__ if isinstance(error, _Broken) and isinstance(error.__cause__, Exception) else error
    phase = next((phase for kind, phase in _TIMEOUTS.items() if isinstance(cause, kind)), None)
    method, url = request.method, str(request.url)
    if phase is not None:
        limit: float = getattr(timeout, phase)
        text = f"{request}: {_PHASES[phase].format(limit)} {which}"
        return RequestTimeoutError(text, phase=phase, seconds=limit, method=method, url=url)
    if isinstance(cause, _TooLarge):
        name = "max_body_size" if request.max_size is None else "max_size"
        return RequestError(f"{request}: the body is larger than {name} ({cause}) {which}", method=method, url=url)
    what = next((text for kind, text in _FAULTS.items() if isinstance(cause, kind)), "the connection failed")
    return APIConnectionError(f"{request}: {what}{_reason(cause)} {which}", method=method, url=url)


def _reason(error: Exception) -> str:
    # The text of aiohttp's own errors can hold the whole request; a message cannot.
    messages = [getattr(e, "message", None) for e in (error.__cause__, error)]
    line = " ".join(str(next(filter(None, messages), error)).split())[:200]
    return f": {line}" if line else ""


# The first kind that fits counts.
_TIMEOUTS: Final[Mapping[type[Exception], Literal["connect", "read", "attempt"]]] = {
    aiohttp.ConnectionTimeoutError: "connect",
    aiohttp.ServerTimeoutError: "read",
    TimeoutError: "attempt",
}
_PHASES: Final = {
    "connect": "no connection within {} s",
    "read": "no bytes for {} s",
    "attempt": "not done within {} s",
}
_FAULTS: Final[Mapping[type[Exception], str]] = {
    aiohttp.ClientConnectorError: "no connection",
    aiohttp.ServerDisconnectedError: "the service closed the connection",
    aiohttp.ClientPayloadError: "the body broke off",
    aiohttp.ClientResponseError: "the answer is not HTTP",
    aiohttp.InvalidURL: "the URL is refused",
    UnicodeError: "the host has no name that DNS could hold",
}
