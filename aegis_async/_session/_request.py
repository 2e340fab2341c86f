"""What goes to the wire and what comes back, as plain values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlencode

from yarl import URL

from aegis_async.errors import InvalidArgumentError

__all__ = ["Param", "RawResponse", "Request"]

Param = str | int | float | bool | None

_PLAIN: Final = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)+")  # needs no second look
_FORBIDDEN_IN_PATH: Final = ("?", "#", "\\")


@dataclass(frozen=True, slots=True)
class Request:
    """One GET.

    Attributes:
        target: Path and query under the base URL, for messages and logs.
        url: The whole URL, already encoded.
        organization_only: Whether it lists with ``shared=true``, where a 404 means that there is no organization.
        max_size: Bytes of the body after decompression; None for the client's own limit.
    """

    target: str
    url: URL
    organization_only: bool = False
    method: str = "GET"
    max_size: int | None = None

    @classmethod
    def get(
        cls,
        base: str,
        path: str,
        params: Mapping[str, Param] | None = None,
        *,
        organization_only: bool = False,
        max_size: int | None = None,
    ) -> "Request":
        """Build a GET of ``path`` under ``base``; parameters that are None are left out.

        Raises:
            InvalidArgumentError: ``path`` could reach something else than what it names, or a parameter is
                neither text nor a number nor a bool.
        """
        _check_path(path)
        given = {name: value for name, value in (params or {}).items() if value is not None}
        query = urlencode({name: _as_text(name, value) for name, value in given.items()})
        target = f"{path}?{query}" if query else path
        return cls(target, URL(base + target, encoded=True), organization_only, max_size=max_size)

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


@dataclass(frozen=True, slots=True)
class RawResponse:
    """One answer, read to its end.

    Attributes:
        status: The HTTP status.
        body: The body after decompression; of an error only its first part.
        retry_after: Every ``Retry-After`` header.
        date: The ``Date`` header.
        request_id: The ``x-request-id`` header.
        location: The ``Location`` header.
    """

    status: int
    body: bytes | bytearray
    retry_after: Sequence[str] = field(default=())
    date: str | None = None
    request_id: str | None = None
    location: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the status carries a result."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the statuses that do


def _check_path(path: object) -> None:
    if not isinstance(path, str) or not path.startswith("/"):
        raise InvalidArgumentError(f"path must begin with a slash, not {path!r}")
    if _PLAIN.fullmatch(path):
        return
    # Decoded twice: a server may decode what a proxy before it has decoded already.
    plain = unquote(unquote(path))
    unsafe = any(c in plain for c in _FORBIDDEN_IN_PATH) or not plain.isprintable() or not path.isascii()
    if unsafe or any(step in {"", ".", ".."} for step in plain.split("/")[1:]):
        raise InvalidArgumentError(f"path must be plain steps, percent-encoded where needed, not {path!r}")


def _as_text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise InvalidArgumentError(f"params[{name!r}] must be text, a number or a bool, not {type(value).__name__}")
