"""What can go wrong on the wire, as errors of ours; nothing of the HTTP client's own is left in them."""

from collections.abc import Mapping
from typing import Final, Literal

import aiohttp

from aegis_async._config import Timeout
from aegis_async._session._coding import CutError, GarbledError
from aegis_async._session._request import Request
from aegis_async.errors import APIConnectionError, RequestError, RequestTimeoutError

_SHOWN: Final = 300  # characters of another one's words

__all__ = ["Broken", "TooLarge", "fault_of"]


class Broken(Exception):  # noqa: N818 - never leaves the session
    """A fault of the connection on its way past aiohttp, which would repeat a GET by itself."""


class TooLarge(Exception):  # noqa: N818 - never leaves the session
    """The body is larger than the limit it carries."""


def fault_of(error: Exception, request: Request, timeout: Timeout) -> RequestError:
    """Give the error of ours for what went wrong on the wire."""
    cause = error.__cause__ if isinstance(error, Broken) and isinstance(error.__cause__, Exception) else error
    phase = next((phase for kind, phase in _TIMEOUTS.items() if isinstance(cause, kind)), None)
    method, url = request.method, request.url
    if phase is not None:
        limit: float = getattr(timeout, phase)
        text = f"{request}: {_PHASES[phase].format(limit)}"
        return RequestTimeoutError(text, phase=phase, seconds=limit, method=method, url=url)
    if isinstance(cause, TooLarge):
        name = "max_body_size" if request.max_size is None else "max_size"
        return RequestError(f"{request}: the body is larger than {name} ({cause})", method=method, url=url)
    what = next((text for kind, text in _FAULTS.items() if isinstance(cause, kind)), "the connection failed")
    return APIConnectionError(f"{request}: {what}{_reason(cause)}", method=method, url=url)


def _reason(error: Exception) -> str:
    # The text of aiohttp's own errors can hold the whole request; a message cannot.
    messages = [getattr(e, "message", None) for e in (error.__cause__, error)]
    line = " ".join(str(next(filter(None, messages), error)).split())[:_SHOWN]
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
    CutError: "the body broke off",
    GarbledError: "the body is not what it says",
    aiohttp.ClientHttpProxyError: "the proxy refused",
    aiohttp.ClientResponseError: "the answer is not HTTP",
    aiohttp.InvalidURL: "the URL is refused",
    UnicodeError: "the host has no name that DNS could hold",
}
