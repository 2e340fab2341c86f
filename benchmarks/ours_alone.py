"""This package without single flight."""

from contextlib import AbstractAsyncContextManager

from benchmarks import ours
from benchmarks.works import Contender

__all__ = ["connect"]


def connect(url: str) -> AbstractAsyncContextManager[Contender]:
    """Give this package's client for a base URL."""
    return ours.connect(url, single_flight=False)
