"""The options of a read: texts, as Spark hands them over, checked once and named in every error."""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self

from aegis_async._client import AegisClient
from aegis_async._config import RateLimit, resolve_base_url, resolve_key
from aegis_async.errors import ConfigurationError
from aegis_async.export import TABLES

__all__ = ["Options"]

_TABLES: Final = tuple(table.name for table in TABLES)
_BOOLS: Final = {"true": True, "false": False}
_KEY: Final = "AEGIS_API_KEY"
_MAX_BODY_SIZE: Final = 256 << 20  # the client's own default
_NOT_REDACTED: Final = frozenset({"api_key", "apikey", "key"})


@dataclass(frozen=True, slots=True)
class Options:
    """What to read, and how.

    Attributes:
        table: The table.
        token: The key; None where the environment of each process has it.
        base_url: Where the service is, as the driver resolves it.
        shared: Which collections, as in ``data_collections.list``.
        partitions: How many partitions; None lets their number follow from that of the ids.
        parallelism: How many partitions run at the same time; None means all of them.
        concurrency: Collections that a partition fetches at a time.
        rate_limit: Requests per second of all partitions together.
        page_size: Items on a page of the listing.
        stream_above: Bytes of a body above which a collection is converted slice by slice.
        on_incomplete: What to do when the listing is not proven complete.
        pushdown: Whether to take Spark's filters.
    """

    table: str
    base_url: str
    token: str | None = field(default=None, repr=False)
    shared: bool | None = None
    partitions: int | None = None
    parallelism: int | None = None
    concurrency: int = 8
    rate_limit: float | None = None
    page_size: int = 100
    stream_above: int = 2 << 20
    on_incomplete: Literal["raise", "warn"] = "raise"
    pushdown: bool = False

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Self:
        """Read the options that Spark was given.

        Raises:
            ConfigurationError: One is missing, unknown or out of its bounds; the text names it, and holds no key.
        """
        for name in given:
            if name not in _READ:
                raise ConfigurationError(_unknown(name))
        if "table" not in given:
            raise ConfigurationError(f"option table is missing: one of {', '.join(_TABLES)}")
        values = {name: _READ[name](name, text) for name, text in given.items()}
        return cls(**{"base_url": _base_url("base_url", None), **values})

    def client(self, rate_limit: float | None, max_body_size: int = _MAX_BODY_SIZE) -> AegisClient:
        """Give a client with these settings.

        Args:
            rate_limit: Requests per second.
            max_body_size: Bytes of one body after decompression.

        Raises:
            ConfigurationError: There is no key.
        """
        if self.token is None and not os.environ.get(_KEY):
            raise ConfigurationError(
                f"no API key: give the option token, or set {_KEY} in the environment of the driver and the executors"
            )
        return AegisClient(
            self.token,
            base_url=self.base_url,
            max_concurrency=2 * self.concurrency,  # the bulk lane has three quarters of it
            max_body_size=max_body_size,
            rate_limit=None if rate_limit is None else RateLimit(rate_limit),
        )


def _unknown(name: str) -> str:
    if name in _NOT_REDACTED:
        return f"unknown option {name}: Spark would not redact it; the key goes into the option token"
    return f"unknown option {name}: known are {', '.join(_READ)}"


def _choice(*choices: str) -> Callable[[str, str], str]:
    def read(name: str, text: str) -> str:
        if text not in choices:
            raise ConfigurationError(f"option {name} must be one of {', '.join(choices)}, not {text!r}")
        return text

    return read


def _integer(minimum: int, maximum: float = math.inf) -> Callable[[str, str], int]:
    bounds = f"from {minimum}" if maximum == math.inf else f"between {minimum} and {maximum}"

    def read(name: str, text: str) -> int:
        value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1  # noqa: PLR2004 - 64 bits
        if not minimum <= value <= maximum:
            raise ConfigurationError(f"option {name} must be an integer {bounds}, not {text!r}")
        return value

    return read


def _rate(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ConfigurationError(f"option {name} must be a number of requests per second above 0, not {text!r}")
    return value


def _bool(name: str, text: str) -> bool:
    if text.lower() not in _BOOLS:
        raise ConfigurationError(f"option {name} must be true or false, not {text!r}")
    return _BOOLS[text.lower()]


def _token(name: str, text: str) -> str:
    try:
        resolve_key(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"option {name}: {error}") from None
    return text


def _base_url(name: str, text: str | None) -> str:
    try:
        return str(resolve_base_url(text))
    except ConfigurationError as error:
        raise ConfigurationError(f"option {name}: {error}") from None


_READ: Final[Mapping[str, Callable[[str, str], Any]]] = {
    "table": _choice(*_TABLES),
    "token": _token,
    "base_url": _base_url,
    "shared": _bool,
    "partitions": _integer(1),
    "parallelism": _integer(1),
    "concurrency": _integer(1),
    "rate_limit": _rate,
    "page_size": _integer(1, 10_000),
    "stream_above": _integer(1),
    "on_incomplete": _choice("raise", "warn"),
    "pushdown": _bool,
}
