"""Async Python SDK for Aegis: lists, fetches and exports LLM evaluation records, and loses none."""

from aegis_async._client import AegisClient
from aegis_async._config import RetryPolicy, Timeout
from aegis_async._fanout import FanOut, FanOutIterator, FanOutStats, Outcome, OutcomeIterator
from aegis_async._pagination import ItemIterator, PageIterator, PaginationStats, Paginator
from aegis_async._resources import DataCollections
from aegis_async._version import __version__

__all__ = [
    "AegisClient",
    "DataCollections",
    "FanOut",
    "FanOutIterator",
    "FanOutStats",
    "ItemIterator",
    "Outcome",
    "OutcomeIterator",
    "PageIterator",
    "PaginationStats",
    "Paginator",
    "RetryPolicy",
    "Timeout",
    "__version__",
]
