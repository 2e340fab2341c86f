"""To a cluster that runs already, or to one on this machine for as long as the export lasts."""

import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final, TypeVar

import ray
from ray.exceptions import RayTaskError

from aegis_async.errors import ExportError
from aegis_async.export._threads import off_loop

__all__ = ["answered", "connected"]

T = TypeVar("T")

_HERE: Final = "local"
_OBJECTS: Final = 128 << 20  # bytes: nothing but accounts of what was written goes through Ray
_USAGE: Final = "RAY_USAGE_STATS_ENABLED"


@asynccontextmanager
async def connected(address: str | None, workers: int | None) -> AsyncIterator[int]:
    """Give the number of the cluster's CPUs, for as long as the block lasts.

    Args:
        address: Where the cluster is; without one, ``RAY_ADDRESS``, or else one on this machine. Where this process is
            connected already, that is taken, and left as it is.
        workers: How many there will be, for which one on this machine is made.

    Raises:
        ExportError: It cannot be reached.
    """
    if ray.is_initialized():
        yield await off_loop(_cpus)
        return
    try:
        with _own_signals():
            await off_loop(_connect, address or os.environ.get("RAY_ADDRESS") or _HERE, workers)
        yield await off_loop(_cpus)
    finally:
        await off_loop(ray.shutdown)


def _connect(address: str, workers: int | None) -> None:
    # Ray sets handlers of signals in the main thread alone: this one runs in another.
    cpus = os.cpu_count() or 1
    made = {"num_cpus": max(workers or 1, cpus), "object_store_memory": _OBJECTS, "include_dashboard": False}
    try:
        with _unwatched():
            ray.init(
                address=address,
                log_to_driver=False,
                logging_level=logging.ERROR,
                **(made if address == _HERE else {}),
            )
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        complaint = str(error)
    else:
        return
    raise ExportError(f"cannot reach Ray at {address}: {complaint}")


@contextmanager
def _own_signals() -> Iterator[None]:
    """Put the handler of SIGTERM back, for which Ray sets one that aborts the process after three seconds."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None:  # else it is not Python's
            signal.signal(signal.SIGTERM, before)


@contextmanager
def _unwatched() -> Iterator[None]:
    """Have a cluster that begins here tell nobody of its use, unless the environment says otherwise."""
    if _USAGE in os.environ:
        yield
        return
    os.environ[_USAGE] = "0"
    try:
        yield
    finally:
        del os.environ[_USAGE]


def _cpus() -> int:
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


async def answered(reference: Awaitable[T]) -> T:
    """Give what a call to an actor gives, or raise what it raised there."""
    try:
        return await reference
    except RayTaskError as error:
        raise (error.cause or error) from None
