"""What an answer other than a 2xx means, as an error with the service's own words."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

from aegis_async._config import ApiKey
from aegis_async._retry import retry_after
from aegis_async._session._request import RawResponse, Request
from aegis_async.errors import (
    AuthenticationError,
    DecodeError,
    NotFoundError,
    OrganizationRequiredError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    RequestError,
    RequestValidationError,
    ServerError,
    StatusError,
    Violation,
)

__all__ = ["STATUS_ERRORS", "masked", "status_error"]

E = TypeVar("E", RequestError, StatusError, DecodeError)

_KEPT: Final = 2048  # bytes of the body that an error carries
_SHOWN: Final = 300  # characters of the service's words in an error's text
_SERVER_FAULT: Final = 500


STATUS_ERRORS: Final[Mapping[int, type[StatusError]]] = MappingProxyType(
    {
        401: AuthenticationError,
        402: PaymentRequiredError,
        403: PermissionDeniedError,
        404: NotFoundError,
        422: RequestValidationError,
        429: RateLimitError,
    }
)


class _Complaint(msgspec.Struct):
    loc: tuple[str | int, ...]
    msg: str
    type: str = ""


class _Detail(msgspec.Struct):
    detail: msgspec.Raw


def status_error(raw: RawResponse, request: Request, now: datetime) -> StatusError:
    """Give the error for ``raw``; the text names the request, the status and the service's reason."""
    violations, detail = _words(raw.body)
    cls = _class(raw.status, request)
    reason = "; ".join(map(str, violations)) or detail or _hint(raw)
    error = cls(
        f"{request}: {raw.status}{f': {reason[:_SHOWN]}' if reason else ''}",
        status=raw.status,
        detail=detail,
        request_id=raw.headers.get("X-Request-ID"),
        body=bytes(raw.body[:_KEPT]).decode(errors="replace"),
        method=request.method,
        url=request.url,
        retry_after=retry_after(raw.headers.getall("Retry-After", ()), raw.headers.get("Date"), now),
    )
    if isinstance(error, RequestValidationError):
        error.violations = violations
    return error


def masked(error: E, key: ApiKey) -> E:
    """Give ``error`` with the key masked wherever the other side repeated it."""
    error.args = (key.mask(str(error)),)
    for name, value in vars(error).items():
        if isinstance(value, str):
            setattr(error, name, key.mask(value))
    if isinstance(error, RequestValidationError):
        error.violations = tuple(_masked(violation, key) for violation in error.violations)
    return error


def _masked(violation: Violation, key: ApiKey) -> Violation:
    loc = tuple(key.mask(step) if isinstance(step, str) else step for step in violation.loc)
    return Violation(loc, key.mask(violation.msg), key.mask(violation.type))


def _class(status: int, request: Request) -> type[StatusError]:
    if status == 404 and request.organization_only:  # noqa: PLR2004 - the status says it
        return OrganizationRequiredError
    if status >= _SERVER_FAULT:
        return ServerError
    return STATUS_ERRORS.get(status, StatusError)


def _words(body: bytes | bytearray) -> tuple[tuple[Violation, ...], str | None]:
    """Give the violations and the detail of a body; anything but JSON with a ``detail`` has neither."""
    try:
        detail = bytes(msgspec.json.decode(body, type=_Detail).detail)
        if detail.startswith(b"["):
            complaints = msgspec.json.decode(detail, type=list[_Complaint])
            return tuple(Violation(c.loc, c.msg, c.type) for c in complaints), None
        value: object = msgspec.json.decode(detail)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return (), None
    return (), value if isinstance(value, str) else detail.decode(errors="replace")


def _hint(raw: RawResponse) -> str:
    if raw.headers.get("Location"):
        return "a redirect that leaves the service's origin, or one too many, is not followed"
    return ""
