"""The settings of a client, checked once when it is built."""

import hashlib
import ipaddress
import os
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NoReturn
from urllib.parse import quote

from yarl import URL

from aegis_async._arguments import integer, rate, seconds
from aegis_async.errors import ConfigurationError

__all__ = [
    "DEFAULT_BASE_URL",
    "ApiKey",
    "RateLimit",
    "RetryBudget",
    "RetryPolicy",
    "Timeout",
    "checked_key",
    "checked_proxy",
    "resolve_base_url",
    "resolve_headers",
    "resolve_key",
]

DEFAULT_BASE_URL: Final = "https://api.aegisevals.ai/api/v1"
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONNECTION: Final = "the connection needs it as it is"
_OWN_HEADERS: Final = MappingProxyType(
    {
        "authorization": "the key goes there; pass it as api_key",
        "proxy-authorization": "put the credentials into proxy",
        "accept": "the answers are JSON",
        **dict.fromkeys(
            ("accept-encoding", "connection", "content-length", "host", "te", "transfer-encoding", "upgrade"),
            _CONNECTION,
        ),
    }
)
_PIECE: Final = 8  # characters in a row that are no coincidence
_URL_SAFE: Final = str.maketrans("+/", "-_")
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
class RateLimit:
    """How many requests a client may begin in a second; every attempt counts.

    Attributes:
        per_second: Requests per second in the long run.
        burst: Requests that may begin at once after a quiet time. With the default of 1 they are evenly spaced,
            which no service counts as too many, wherever its own seconds begin.
    """

    per_second: float
    burst: int = 1

    def __post_init__(self) -> None:
        rate("rate_limit", self.per_second)
        integer("rate_limit.burst", self.burst, minimum=1, error=ConfigurationError)

    @classmethod
    def of(cls, value: "RateLimit | float | None") -> "RateLimit | None":
        """Give ``value`` itself, or a number as requests per second."""
        return value if value is None or isinstance(value, RateLimit) else cls(value)


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """What retries of one client may cost together.

    A bucket of tokens, with the numbers of botocore's retry quota, which have stood the test of many services:
    about a hundred retries in a row, and then one for every five calls that succeed. An empty bucket blocks nobody:
    the attempt's own error is raised at once, with ``budget_exhausted`` True. A retry after a wait that the service
    asked for (``Retry-After``) costs nothing: it adds no load that was not invited.

    Attributes:
        capacity: Tokens in a full bucket, which it is at first.
        retry_cost: Tokens for one retry.
        timeout_cost: Tokens for one retry after a timeout, which has held the service's resources for longest.
        refund: Tokens for a call that succeeds at its first attempt. One that succeeds later gives back what its
            last retry took.
    """

    capacity: int = 500
    retry_cost: int = 5
    timeout_cost: int = 10
    refund: int = 1

    def __post_init__(self) -> None:
        for name in ("capacity", "retry_cost", "timeout_cost", "refund"):
            integer(f"budget.{name}", getattr(self, name), minimum=0, error=ConfigurationError)


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
        budget: What the retries of one client may cost together; None sets no bound.
    """

    max_attempts: int = 4
    initial: float = 0.5
    maximum: float = 8.0
    max_retry_after: float = 60.0
    budget: RetryBudget | None = RetryBudget()

    def __post_init__(self) -> None:
        integer("retry.max_attempts", self.max_attempts, minimum=1, error=ConfigurationError)
        for name in ("initial", "maximum", "max_retry_after"):
            seconds(f"retry.{name}", getattr(self, name), zero=True)
        if self.budget is not None and not isinstance(self.budget, RetryBudget):
            raise ConfigurationError(f"retry.budget must be a RetryBudget or None, not {type(self.budget).__name__}")


class ApiKey:
    """The key, which shows itself to nobody but the Authorization header."""

    __slots__ = ("_pieces", "_secret")

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._pieces: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        if len(self._secret) < _SHOWN_FROM:
            return "***"
        prefix = "sk_" if self._secret.startswith("sk_") else ""
        return f"{prefix}…{self._secret[-4:]}"

    @property
    def authorization(self) -> str:
        """The value of the Authorization header."""
        return f"Bearer {self._secret}"

    @property
    def fingerprint(self) -> bytes:
        """A hash that tells this key from another."""
        return hashlib.blake2b(self._secret.encode(), digest_size=16).digest()

    def mask(self, text: str) -> str:
        """Give ``text`` with the key masked, for words of the service that repeat it.

        Whole or in pieces, since somebody may have cut the text inside the key; as it is, percent-encoded or in
        base64.
        """
        size = min(_PIECE, len(self._secret))
        if not self._pieces:
            forms = _forms(self._secret)
            self._pieces = frozenset(form[at : at + size] for form in forms for at in range(len(form) - size + 1))
        shown, at = [], 0
        while (found := self._find(text, at, size)) is not None:
            start, end = found
            shown += [text[at:start], repr(self)]
            at = end
        return "".join([*shown, text[at:]])

    def _find(self, text: str, start: int, size: int) -> tuple[int, int] | None:
        """Give the first run of characters from ``start`` on in which every ``size`` of them are the key's."""
        for at in range(start, len(text) - size + 1):
            end = at + size
            if text[at:end] in self._pieces:
                while text[end - size + 1 : end + 1] in self._pieces:
                    end += 1
                return at, end
        return None

    def __reduce__(self) -> NoReturn:
        raise TypeError("an API key does not pickle")


def _forms(secret: str) -> Iterator[str]:
    """Give the ways in which others write a secret."""
    yield secret
    yield quote(secret, safe="")
    for before in range(3):  # base64 looks different at each place in its groups of three
        encoded = b64encode(bytes(before) + secret.encode()).decode().rstrip("=")
        yield encoded[-(-before * 4 // 3) :]
        yield encoded[-(-before * 4 // 3) :].translate(_URL_SAFE)


def resolve_key(explicit: str | None, environ: Mapping[str, str] = os.environ) -> ApiKey:
    """Give the key from the argument or else from ``AEGIS_API_KEY``, checked and never echoed."""
    name, value = ("api_key", explicit) if explicit is not None else ("AEGIS_API_KEY", environ.get("AEGIS_API_KEY"))
    if value is None:
        raise ConfigurationError("no API key: pass api_key=… or set AEGIS_API_KEY")
    return ApiKey(checked_key(name, value))


def checked_key(name: str, value: object) -> str:
    """Give a key without the whitespace around it, or an error that names where it comes from and never echoes it."""
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} must be a string, not {type(value).__name__}")
    key = value.strip()
    complaint = _key_complaint(key)
    if complaint:
        raise ConfigurationError(f"{name} {complaint}")
    return key


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


def checked_proxy(name: str, value: str) -> str:
    """Give the URL of a proxy, or an error that never repeats it: it may hold a password."""
    try:
        url = URL(value)
        usable = url.scheme in {"http", "https"} and bool(url.host)
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(f"{name} must be the URL of a proxy, as http://host:port")
    return value


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:  # a name
        return False


def resolve_headers(given: Mapping[str, str] | None) -> Mapping[str, str]:
    """Give the caller's extra headers, checked; a value may be a secret, so no error repeats it."""
    headers = dict(given or {})
    for name, value in headers.items():
        complaint = _header_complaint(name, value)
        if complaint:
            raise ConfigurationError(f"headers[{name!r}] {complaint}")
    return headers


def _header_complaint(name: object, value: object) -> str | None:
    if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
        return "is no name of a header"
    if name.lower() in _OWN_HEADERS:
        return "is not yours to set: " + _OWN_HEADERS[name.lower()]
    if not isinstance(value, str):
        return f"must be a string, not {type(value).__name__}"
    return None if value.isascii() and value.isprintable() else "holds a character that a header cannot"
