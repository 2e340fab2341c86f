"""The settings of a client, checked once when it is built."""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from yarl import URL

from aegis_async._arguments import integer, seconds
from aegis_async.errors import ConfigurationError

__all__ = ["DEFAULT_BASE_URL", "ApiKey", "RetryPolicy", "Timeout", "resolve_base_url", "resolve_key"]

DEFAULT_BASE_URL: Final = "https://api.aegisevals.ai/api/v1"
_SHOWN_FROM: Final = 16  # four characters of a shorter key would be too much of it


@dataclass(frozen=True, slots=True)
class Timeout:
    """How long one attempt may take, in seconds.

    Waiting for a free slot of the client, for a backoff or for a ``Retry-After`` is never counted.

    Attributes:
        connect: Name look-up, TCP and TLS of a new connection.
        read: The longest silence between two pieces of an answer.
        attempt: One attempt as a whole, with its body.
    """

    connect: float = 5.0
    read: float = 30.0
    attempt: float = 60.0

    def __post_init__(self) -> None:
        for name in ("connect", "read", "attempt"):
            seconds(f"timeout.{name}", getattr(self, name))

    @classmethod
    def of(cls, value: "Timeout | float") -> "Timeout":
        """Give ``value`` itself, or a number as the limit of the whole attempt."""
        return value if isinstance(value, Timeout) else cls(attempt=seconds("timeout", value))


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When and how often a failed attempt is made again.

    The wait before attempt ``n + 1`` is drawn evenly from 0 to ``min(maximum, initial * 2 ** (n - 1))`` (full
    jitter), unless the service asked for a wait: that is obeyed to the second.

    Attributes:
        max_attempts: Attempts in all, the first one counted; 1 turns retries off.
        initial: The bound of the first wait, in seconds.
        maximum: The bound of every computed wait, in seconds.
        max_retry_after: The longest ``Retry-After`` that is waited for, in seconds; for a longer one the error
            comes at once.
    """

    max_attempts: int = 4
    initial: float = 0.5
    maximum: float = 8.0
    max_retry_after: float = 60.0

    def __post_init__(self) -> None:
        integer("retry.max_attempts", self.max_attempts, minimum=1, error=ConfigurationError)
        for name in ("initial", "maximum", "max_retry_after"):
            seconds(f"retry.{name}", getattr(self, name), zero=True)


class ApiKey:
    """The key, which shows itself to nobody but the Authorization header."""

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def __repr__(self) -> str:
        if len(self._secret) < _SHOWN_FROM:
            return "***"
        prefix = "sk_" if self._secret.startswith("sk_") else ""
        return f"{prefix}…{self._secret[-4:]}"

    @property
    def authorization(self) -> str:
        """The value of the Authorization header."""
        return f"Bearer {self._secret}"

    def mask(self, text: str) -> str:
        """Give ``text`` with the key masked, for words of the service that repeat it."""
        return text.replace(self._secret, repr(self))

    def __reduce__(self) -> NoReturn:
        raise TypeError("an API key does not pickle")


def resolve_key(explicit: str | None, environ: Mapping[str, str] = os.environ) -> ApiKey:
    """Give the key from the argument or else from ``AEGIS_API_KEY``, checked and never echoed."""
    name, value = ("api_key", explicit) if explicit is not None else ("AEGIS_API_KEY", environ.get("AEGIS_API_KEY"))
    if value is None:
        raise ConfigurationError("no API key: pass api_key=… or set AEGIS_API_KEY")
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} must be a string, not {type(value).__name__}")
    key = value.strip()
    complaint = _key_complaint(key)
    if complaint:
        raise ConfigurationError(f"{name} {complaint}")
    return ApiKey(key)


def _key_complaint(key: str) -> str | None:
    checks = {
        "is empty": not key,
        "holds whitespace": any(c.isspace() for c in key),
        "holds a quote: remove the quotes around the key": any(c in "\"'`" for c in key),
        "holds a character that is not ASCII": not key.isascii(),
        "holds a control character": not key.isprintable(),
    }
    return next((text for text, wrong in checks.items() if wrong), None)


def resolve_base_url(explicit: str | None, environ: Mapping[str, str] = os.environ) -> URL:
    """Give the base URL from the argument, ``AEGIS_BASE_URL`` or the default, without a final slash."""
    name, value = "base_url", explicit
    if value is None:
        name, value = "AEGIS_BASE_URL", environ.get("AEGIS_BASE_URL") or DEFAULT_BASE_URL
    try:
        url = URL(str(value).strip())
        complaint = _url_complaint(url)
    except ValueError:  # its own text may repeat a password
        url, complaint = URL(), "is no valid URL: check its host and port"
    if complaint:
        raise ConfigurationError(f"{name} {complaint}")
    return url.with_path(url.raw_path.rstrip("/"), encoded=True)


def _url_complaint(url: URL) -> str | None:
    checks = {
        "must begin with https:// (or http:// to loopback)": url.scheme not in {"http", "https"},
        "names no host": not url.host,
        "must not hold a user name or password": url.user is not None or url.password is not None,
        "must not hold a query": bool(url.raw_query_string),
        "must not hold a fragment": bool(url.raw_fragment),
        "must use https:// for a host that is not loopback": url.scheme == "http" and not _is_loopback(url.host),
    }
    return next((text for text, wrong in checks.items() if wrong), None)


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:  # a name
        return False
