"""What every answer carries: where scripts may come from, and that nothing is to be guessed or kept."""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["POLICY", "Headers", "Hosts"]

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache, private",  # a copy may be kept, and is asked about each time
}


class Headers:
    """Adds the headers to every answer of an app.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, with_headers)


class Hosts:
    """Refuses requests that name another host, so that no site can read a loopback server under a name of its own.

    Args:
        app: What answers.
        allowed: The names, without ports.
    """

    def __init__(self, app: ASGIApp, allowed: frozenset[str]) -> None:
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _host(scope) not in self._allowed:
            await send({"type": "http.response.start", "status": 421, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"this server goes by another name\n"})
            return
        await self._app(scope, receive, send)


def _host(scope: Scope) -> str:
    given: bytes = dict(scope["headers"]).get(b"host", b"")
    host = given.decode("latin-1")
    return host.rpartition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
