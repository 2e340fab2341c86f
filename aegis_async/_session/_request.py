"""What goes to the wire and what comes back, as plain values."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, Protocol
from urllib.parse import unquote, urlencode

import msgspec
from yarl import URL

from aegis_async._arguments import mapping
from aegis_async.errors import InvalidArgumentError

__all__ = ["Headers", "Param", "RawResponse", "Request"]

Param = str | int | float | bool | None

_PLAIN: Final = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)+")  # needs no second look
_FORBIDDEN_IN_PATH: Final = ("?", "#", "\\")


class Request(msgspec.Struct, eq=False):
    """One GET.

    Attributes:
        base: The base URL.
        target: Path and query under it, already encoded.
        organization_only: Whether it lists with ``shared=true``, where a 404 means that there is no organization.
        method: The HTTP method.
        max_size: Bytes of the body after decompression, where it differs from the client's own bound.
        etag: Of what the caller has: where that is still good, a 304 will do.
    """

    base: str
    target: str
    organization_only: bool = False
    method: str = "GET"
    max_size: int | None = None
    etag: str | None = None

    @classmethod
    def get(
        cls,
        base: str,
        path: str,
        params: Mapping[str, Param] | None = None,
        *,
        max_size: int | None = None,
    ) -> "Request":
        """Build a GET of ``path`` under ``base``; parameters that are None are left out.

        Raises:
            InvalidArgumentError: ``path`` could reach something else than what it names, or a parameter is
                neither text nor a number nor a bool.
        """
        _check_path(path)
        if params is None:
            return cls(base, path, max_size=max_size)
        given = {name: value for name, value in mapping("params", params).items() if value is not None}
        query = _query({name: _as_text(name, value) for name, value in given.items()})
        target = f"{path}?{query}" if query else path
        return cls(base, target, max_size=max_size)

    @property
    def url(self) -> str:
        """The whole URL."""
        return self.base + self.target

    def under(self, root: URL) -> URL:
        """Give the whole URL for aiohttp; ``root`` is the base URL, parsed."""
        if "?" in self.target:
            return URL(self.url, encoded=True)
        return root.with_path(root.raw_path.rstrip("/") + self.target, encoded=True)  # a third of parsing it all

    @property
    def path(self) -> str:
        """The path under the base URL, without the query."""
        return self.target.partition("?")[0]

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


class Headers(Protocol):
    """The headers of an answer, under names of any case."""

    def get(self, name: str, /) -> str | None:
        """Give the first of that name."""

    def getall(self, name: str, default: Sequence[str], /) -> Sequence[str]:
        """Give all of that name."""


class RawResponse(msgspec.Struct, eq=False):
    """One answer, read to its end.

    Attributes:
        status: The HTTP status.
        body: The body after decompression; of an error only its first part.
        headers: Its headers.
    """

    status: int
    body: bytes | bytearray
    headers: Headers

    @property
    def ok(self) -> bool:
        """Whether the status carries a result."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the statuses that do


def _check_path(path: object) -> None:
    if isinstance(path, str) and _PLAIN.fullmatch(path):
        return
    if not isinstance(path, str) or not path.startswith("/"):
        raise InvalidArgumentError(f"path must begin with a slash, not {path!r}")
    # Decoded twice: a server may decode what a proxy before it has decoded already.
    plain = unquote(unquote(path))
    unsafe = any(c in plain for c in _FORBIDDEN_IN_PATH) or not plain.isprintable() or not path.isascii()
    if unsafe or any(step in {"", ".", ".."} for step in plain.split("/")[1:]):
        raise InvalidArgumentError(f"path must be plain steps, percent-encoded where needed, not {path!r}")


def _query(texts: Mapping[str, str]) -> str:
    try:
        return urlencode(texts)
    except UnicodeEncodeError:
        broken = next(name for name, text in texts.items() if any("\ud800" <= c <= "\udfff" for c in f"{name}{text}"))
    raise InvalidArgumentError(f"params[{broken!r}] holds half a character, which no URL can hold")


def _as_text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise InvalidArgumentError(f"params[{name!r}] must be text, a number or a bool, not {type(value).__name__}")
