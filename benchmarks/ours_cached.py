"""This package with a cache, which a collection enters once."""

from contextlib import AbstractAsyncContextManager

from aegis_async import Cache
from benchmarks import ours
from benchmarks.works import Contender

__all__ = ["connect"]


def connect(url: str) -> AbstractAsyncContextManager[Contender]:
    """Give this package's client for a base URL."""
    return ours.connect(url, cache=Cache())
