"""Every error a caller can meet, in one tree.

::

    AegisError
    ├─ ConfigurationError             the client cannot be built from what it was given
    ├─ InvalidArgumentError           a call was refused before anything was sent
    ├─ ClientClosedError              the client was used after it was closed
    ├─ RequestError                   no usable answer came
    │  ├─ APIConnectionError          the connection failed or broke off
    │  └─ RequestTimeoutError         one attempt took too long
    ├─ StatusError                    the service answered, and not with a 2xx
    │  ├─ AuthenticationError         401
    │  ├─ PaymentRequiredError        402
    │  ├─ PermissionDeniedError       403
    │  ├─ NotFoundError               404
    │  │  └─ OrganizationRequiredError   404 of a listing with shared=true
    │  ├─ RequestValidationError      422
    │  ├─ RateLimitError              429
    │  └─ ServerError                 5xx
    ├─ DecodeError                    a 2xx whose body is not what the service documents
    ├─ PaginationError                a listing contradicts itself, or moved where that is to be an error
    ├─ DeadlineExceededError          the whole call took too long
    └─ ExportError                    an export cannot begin or go on

Attributes are plain values, so every error pickles and copies, and none holds the key.
"""

from dataclasses import dataclass
from typing import Literal

from aegis_async import _completeness

__all__ = [
    "APIConnectionError",
    "AegisError",
    "AuthenticationError",
    "ClientClosedError",
    "ConfigurationError",
    "DeadlineExceededError",
    "DecodeError",
    "ExportError",
    "FanOutReport",
    "InvalidArgumentError",
    "NotFoundError",
    "OrganizationRequiredError",
    "PaginationError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "RateLimitError",
    "RequestError",
    "RequestTimeoutError",
    "RequestValidationError",
    "ServerError",
    "StatusError",
    "Violation",
]


@dataclass(frozen=True, slots=True)
class Violation:
    """One complaint of a 422.

    Attributes:
        loc: Where the offending value stands, as ``("query", "page_size")``.
        msg: The service's reason.
        type: The service's name for the kind of complaint.
    """

    loc: tuple[str | int, ...]
    msg: str
    type: str

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.loc)) or 'request'}: {self.msg}"


@dataclass(frozen=True, slots=True)
class FanOutReport:
    """How far a fan-out had come when an error ended it.

    Attributes:
        taken: Ids read from the source.
        fetched: Ids that gave a value.
        failed: Ids that gave an error, the one that ended it counted.
        given: Results that the consumer had taken.
        in_flight: The ids whose requests were cancelled; at most twice the concurrency with the next.
        waiting: The ids whose results were there and could not be given, as they stood behind the error in an ordered
            fan-out.
    """

    taken: int
    fetched: int
    failed: int
    given: int
    in_flight: tuple[int, ...]
    waiting: tuple[int, ...]


def _rebuild(cls: type["AegisError"], args: tuple[object, ...], state: dict[str, object]) -> "AegisError":
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class AegisError(Exception):
    """The base of every error that this package raises on purpose.

    Attributes:
        budget_exhausted: Whether another attempt would have been made, had the client's retry budget not been empty.
        fan_out: How far the fan-out had come that it ended; None where it ended none.
    """

    budget_exhausted: bool = False
    fan_out: FanOutReport | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)

    def __reduce__(self) -> tuple[object, ...]:
        # The default calls the class with ``args`` alone, which keyword attributes do not survive.
        return _rebuild, (type(self), self.args, dict(self.__dict__))


class ConfigurationError(AegisError, ValueError):
    """The client cannot be built or used as configured: key, base URL, limits, event loop."""


class InvalidArgumentError(AegisError, ValueError):
    """An argument is outside its bounds; nothing was sent."""


class ClientClosedError(AegisError):
    """The client was used after ``aclose()``."""


class RequestError(AegisError):
    """No usable answer came.

    Attributes:
        method: The HTTP method.
        url: The full URL of the request, which never holds the key.
        attempts: How many attempts were made, the first one counted.
    """

    def __init__(self, message: str, *, method: str = "GET", url: str = "", attempts: int = 1) -> None:
        super().__init__(message)
        self.method = method
        self.url = url
        self.attempts = attempts


class APIConnectionError(RequestError):
    """The connection could not be made, broke off, or spoke no HTTP."""


class RequestTimeoutError(RequestError, TimeoutError):
    """One attempt took longer than ``Timeout`` allows.

    Attributes:
        phase: ``"connect"``, ``"read"`` (silence between bytes) or ``"attempt"`` (the whole of it).
        seconds: The limit that was hit.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each documented attribute
        self,
        message: str,
        *,
        phase: Literal["connect", "read", "attempt"] = "attempt",
        seconds: float = 0.0,
        method: str = "GET",
        url: str = "",
        attempts: int = 1,
    ) -> None:
        super().__init__(message, method=method, url=url, attempts=attempts)
        self.phase = phase
        self.seconds = seconds


class StatusError(AegisError):
    """The service answered with a status other than 2xx.

    Attributes:
        status: The HTTP status.
        detail: The service's own words, from the body's ``detail``, or None.
        request_id: The answer's ``x-request-id``, or None.
        body: The first 2 KiB of the body as text.
        attempts: How many attempts were made, the first one counted.
        method: The HTTP method.
        url: The full URL of the request, which never holds the key.
        retry_after: Seconds that the service asked to wait, or None.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each documented attribute
        self,
        message: str,
        *,
        status: int = 0,
        detail: str | None = None,
        request_id: str | None = None,
        body: str = "",
        attempts: int = 1,
        method: str = "GET",
        url: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.detail = detail
        self.request_id = request_id
        self.body = body
        self.attempts = attempts
        self.method = method
        self.url = url
        self.retry_after = retry_after


class AuthenticationError(StatusError):
    """401: the service refused the key."""


class PaymentRequiredError(StatusError):
    """402: the account is out of credits."""


class PermissionDeniedError(StatusError):
    """403: the key may not see this."""


class NotFoundError(StatusError):
    """404: there is no such thing, or the key may not know of it."""


class OrganizationRequiredError(NotFoundError):
    """404 of a listing with ``shared=True``: the key's user is in no organization."""


class RequestValidationError(StatusError):
    """422: the service refused a parameter.

    Attributes:
        violations: Each complaint, with the place of the value and the reason.
    """

    violations: tuple[Violation, ...] = ()


class RateLimitError(StatusError):
    """429: too many requests."""


class ServerError(StatusError):
    """5xx: the service or a proxy before it failed."""


class DecodeError(AegisError):
    """A 2xx whose body is not what the service documents, or not JSON at all.

    Attributes:
        path: Where in the JSON, as ``$.runs[3].threshold``; ``$`` when it is no JSON.
        excerpt: A short piece of the body.
        attempts: How many attempts were made, the first one counted.
        truncated: Whether the JSON began well and broke off, which is retried once.
    """

    truncated: bool = False

    def __init__(self, message: str, *, path: str = "$", excerpt: str = "", attempts: int = 1) -> None:
        super().__init__(message)
        self.path = path
        self.excerpt = excerpt
        self.attempts = attempts


class PaginationError(AegisError):
    """A page contradicts itself or its place, so that going on could lose items; or the listing moved.

    Attributes:
        report: What was read until then.
    """

    report: _completeness.ListingReport | None = None


class DeadlineExceededError(AegisError, TimeoutError):
    """The whole call could not end before its deadline.

    Attributes:
        phase: What it was spent on when it ended.
        seconds: The deadline in seconds.
        attempts: How many attempts were begun.
    """

    def __init__(
        self,
        message: str,
        *,
        phase: Literal["connect", "read", "attempt", "slot", "backoff", "pause"] = "attempt",
        seconds: float = 0.0,
        attempts: int = 0,
    ) -> None:
        super().__init__(message)
        self.phase = phase
        self.seconds = seconds
        self.attempts = attempts


class ExportError(AegisError):
    """An export cannot begin or go on: a folder that is not ours, a full disk, a missing extra."""
