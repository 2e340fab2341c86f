"""Async Python SDK for Aegis: lists, fetches and exports LLM evaluation records, and loses none.

Names are loaded when they are first used, so that the pytest plugin and ``aegis-async --help`` load no HTTP client.
"""

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

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
    from aegis_async._resources import Added, Changed, CollectionStream, DataCollections, Removed, Watch, WatchCursor
    from aegis_async._session import ClientStats
    from aegis_async._spark import AegisDataSource

__all__ = [
    "Added",
    "AegisClient",
    "AegisDataSource",
    "Aged",
    "Cache",
    "CacheStats",
    "Changed",
    "ClientStats",
    "CollectionStream",
    "Cursor",
    "DataCollections",
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
    "Removed",
    "RequestEvent",
    "RetryBudget",
    "RetryPolicy",
    "Timeout",
    "Watch",
    "WatchCursor",
    "__version__",
    "deadline",
    "otel_hooks",
]

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
        "_resources": (
            "Added",
            "Changed",
            "CollectionStream",
            "DataCollections",
            "Removed",
            "Watch",
            "WatchCursor",
        ),
        "_session": ("ClientStats",),
        "_spark": ("AegisDataSource",),
    }
)

_MODULES: Final = ("dashboard", "errors", "export", "models", "sandbox")


def __getattr__(name: str) -> object:
    """Load the name, or the public module, that is asked for the first time."""
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    for module, names in _HOMES.items():
        if name in names:
            value: object = getattr(import_module(f"{__name__}.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names and modules, loaded or not."""
    return sorted([*__all__, *_MODULES])
