"""This package without single flight, with hooks that do nothing."""

from contextlib import AbstractAsyncContextManager

from aegis_async import Hooks, RequestEvent
from benchmarks import ours
from benchmarks.works import Contender

__all__ = ["connect"]


def connect(url: str) -> AbstractAsyncContextManager[Contender]:
    """Give this package's client for a base URL."""

    def nothing(_event: RequestEvent) -> None:
        pass

    return ours.connect(url, single_flight=False, hooks=Hooks(nothing, nothing, nothing, nothing))
