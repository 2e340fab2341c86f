"""Every fault on the way to a connection: names, certificates, handshakes and proxies."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import trustme

from aegis_async.errors import APIConnectionError, RequestTimeoutError
from tests.session.fault import UNCONNECTED, Fault, Scene
from tests.session.wire import HANG_UP, Answer, Wire, http, wire

__all__ = ["CONNECTING", "authority", "nobody", "secure", "tls", "trusting"]


@cache
def authority() -> trustme.CA:
    """Give an authority that nobody else knows."""
    return trustme.CA()


def tls(host: str = "127.0.0.1", **certificate: Any) -> ssl.SSLContext:
    """Give a server's side of TLS, with a certificate of our authority for ``host``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(host, **certificate).configure_cert(context)
    return context


def trusting() -> ssl.SSLContext:
    """Give a client's side that knows our authority."""
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context


def secure(*answers: Answer, host: str = "127.0.0.1", scheme: str = "https", **certificate: Any) -> Scene:
    """Make a scene of a server that speaks TLS."""

    @asynccontextmanager
    async def scene() -> AsyncIterator[Wire]:
        async with wire(*answers, tls=tls(host, **certificate)) as served:
            served.scheme = scheme
            yield served

    return scene


def spoken_to_in_tls(*answers: Answer) -> Scene:
    """Make a scene of a server that does not speak TLS to a client that does."""

    @asynccontextmanager
    async def scene() -> AsyncIterator[Wire]:
        async with wire(*answers, greeting=b"220 smtp\r\n" if answers == (HANG_UP,) else b"") as served:
            served.scheme = "https"
            yield served

    return scene


@asynccontextmanager
async def nobody() -> AsyncIterator[Wire]:
    """Give an address at which nobody listens."""
    served = Wire((None,))
    with socket.socket() as taken:  # bound and not listening: nobody else gets the port
        taken.bind(("127.0.0.1", 0))
        served.port = taken.getsockname()[1]
        yield served


def looked_up(how: Callable[..., Awaitable[object]]) -> Scene:
    """Make a scene of a name that the loop's resolver treats like that."""

    @asynccontextmanager
    async def scene() -> AsyncIterator[Wire]:
        loop: Any = asyncio.get_running_loop()
        loop.getaddrinfo = how
        served = Wire((None,))
        served.host, served.scheme = "aegis.invalid", "https"
        try:
            yield served
        finally:
            del loop.getaddrinfo

    return scene


async def not_found(*_: object, **__: object) -> object:
    """Look a name up in vain."""
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


async def never_found(*_: object, **__: object) -> object:
    """Look a name up for ever."""
    return await asyncio.get_running_loop().create_future()


def through_proxy(*answers: Answer) -> Scene:
    """Make a scene of a proxy with a script, on the way to a service that speaks TLS."""

    @asynccontextmanager
    async def scene() -> AsyncIterator[Wire]:
        async with wire(*answers) as proxy:
            proxy.options["proxy"] = proxy.url
            proxy.scheme = "https"
            yield proxy

    return scene


CONNECTING: Final = (
    Fault("nobody listens", nobody, APIConnectionError, "no connection: "),
    Fault("the name is not found", looked_up(not_found), APIConnectionError, "no connection: .*Name or service not"),
    Fault(
        "the look-up of the name never ends",
        looked_up(never_found),
        RequestTimeoutError,
        "no connection within 0.05 s",
        "`connect`",
        timeout=UNCONNECTED,
    ),
    Fault(
        "the certificate is of an authority that is not trusted",
        secure(http()),
        APIConnectionError,
        "no connection: .*certificate verify failed",
    ),
    Fault(
        "the certificate is for another host",
        secure(http(), host="aegis.invalid"),
        APIConnectionError,
        "no connection: .*certificate is not valid for '127.0.0.1'",
        options={"ssl": trusting},
    ),
    Fault(
        "the certificate has expired",
        secure(http(), not_after=datetime(2020, 1, 1, tzinfo=UTC)),
        APIConnectionError,
        "no connection: .*certificate has expired",
        options={"ssl": trusting},
    ),
    Fault("plain words where TLS is expected", spoken_to_in_tls(HANG_UP), APIConnectionError, "no connection: "),
    Fault("TLS where plain words are expected", secure(http(), scheme="http"), APIConnectionError, "closed|not HTTP"),
    Fault(
        "the TLS handshake never ends",
        spoken_to_in_tls(None),
        RequestTimeoutError,
        "no connection within 0.05 s",
        "`connect`",
        timeout=UNCONNECTED,
    ),
    Fault(
        "the proxy refuses the tunnel",
        through_proxy(http(b"", "407 Proxy Authentication Required")),
        APIConnectionError,
        "the proxy refused: Proxy Authentication Required",
    ),
    Fault("the proxy closes the connection", through_proxy(HANG_UP), APIConnectionError, "closed the connection"),
    Fault(
        "the proxy never answers",
        through_proxy(None),
        RequestTimeoutError,
        "no connection within 0.05 s",
        "`connect`",
        timeout=UNCONNECTED,
    ),
)
