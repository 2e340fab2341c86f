"""What spans and metrics say of an attempt, in the words of HTTP's semantic conventions."""

from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from aegis_async._hooks import RequestEvent

__all__ = ["Value", "error_type", "outcome", "server", "shown_url"]

Value = str | int | float

_SHOWN: Final = frozenset({"page", "page_size", "shared"})  # ours; the values of all others may be secret
_REDACTED: Final = "REDACTED"
_PORTS: Final = {"http": 80, "https": 443}
_FIRST_FAULT: Final = 400


def server(event: RequestEvent) -> dict[str, Value]:
    """Tell what is asked, and whom."""
    url = urlsplit(event.url)
    return {
        "http.request.method": event.method,
        "server.address": url.hostname or "",
        "server.port": url.port or _PORTS.get(url.scheme, 0),
    }


def shown_url(event: RequestEvent) -> str:
    """Give the URL with the values of foreign parameters left out."""
    url = urlsplit(event.url)
    if not url.query:
        return event.url
    given = parse_qsl(url.query, keep_blank_values=True)
    query = urlencode([(name, value if name in _SHOWN else _REDACTED) for name, value in given])
    return url._replace(query=query).geturl()


def outcome(event: RequestEvent) -> dict[str, Value]:
    """Tell what came of the attempt: its status and, where it failed, its kind of error."""
    found: dict[str, Value] = {}
    if event.status is not None:
        found["http.response.status_code"] = event.status
    if event.error is not None:
        found["error.type"] = error_type(event.error, event.status)
    return found


def error_type(error: BaseException, status: int | None) -> str:
    """Name the kind of error: the status where that is the error, else the exception's class."""
    if status is not None and status >= _FIRST_FAULT:
        return str(status)
    kind = type(error)
    return f"{kind.__module__}.{kind.__qualname__}"
