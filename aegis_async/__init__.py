"""Async Python SDK for Aegis: lists, fetches and exports LLM evaluation records, and names what is missing.

Names are loaded when they are first used, so that the pytest plugin and ``aegis-async --help`` load no HTTP client.
"""

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aegis_async import _lazy, _resources
from aegis_async._version import __version__

if TYPE_CHECKING:
    from aegis_async._cache import Aged, Cache, CacheStats
    from aegis_async._client import AegisClient
    from aegis_async._config import RateLimit, RetryBudget, RetryPolicy, Timeout
    from aegis_async._deadline import deadline
    from aegis_async._fanout import FanOut, FanOutIterator, FanOutStats, Outcome, OutcomeIterator
    from aegis_async._hooks import Hooks, RequestEvent
    from aegis_async._otel import otel_hooks
    from aegis_async._pagination import (
        Cursor,
        ItemIterator,
        ListingReport,
        PageIterator,
        PaginationStats,
        Paginator,
    )
    from aegis_async._resources import *  # noqa: F403 - named once, in the table of resources
    from aegis_async._session import ClientStats
    from aegis_async._spark import AegisDataSource

__all__ = [
    "AegisClient",
    "AegisDataSource",
    "Aged",
    "Cache",
    "CacheStats",
    "ClientStats",
    "Cursor",
    "FanOut",
    "FanOutIterator",
    "FanOutStats",
    "Hooks",
    "ItemIterator",
    "ListingReport",
    "Outcome",
    "OutcomeIterator",
    "PageIterator",
    "PaginationStats",
    "Paginator",
    "RateLimit",
    "RequestEvent",
    "RetryBudget",
    "RetryPolicy",
    "Timeout",
    "__version__",
    "deadline",
    "otel_hooks",
]
__all__ += _resources.__all__

_HOMES: Final = MappingProxyType(
    {
        "_cache": ("Aged", "Cache", "CacheStats"),
        "_client": ("AegisClient",),
        "_config": ("RateLimit", "RetryBudget", "RetryPolicy", "Timeout"),
        "_deadline": ("deadline",),
        "_fanout": ("FanOut", "FanOutIterator", "FanOutStats", "Outcome", "OutcomeIterator"),
        "_hooks": ("Hooks", "RequestEvent"),
        "_pagination": (
            "Cursor",
            "ItemIterator",
            "ListingReport",
            "PageIterator",
            "PaginationStats",
            "Paginator",
        ),
        "_otel": ("otel_hooks",),
        "_resources": tuple(_resources.__all__),
        "_session": ("ClientStats",),
        "_spark": ("AegisDataSource",),
    }
)

_MODULES: Final = ("dashboard", "errors", "export", "models", "sandbox")


def __getattr__(name: str) -> object:
    """Load the name, or the public module, that is asked for the first time."""
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    value = globals()[name] = _lazy.load(__name__, _HOMES, name)
    return value


def __dir__() -> list[str]:
    """List the public names and modules, loaded or not."""
    return sorted([*__all__, *_MODULES])
