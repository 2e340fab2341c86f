"""One Ray on this machine for all tests that need it; without the extra there is nothing to collect."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import pytest

from aegis_async.sandbox import Sandbox

collect_ignore_glob = [] if find_spec("ray") else ["test_*.py"]
COLLECTIONS = 40


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An account in a thread of its own, slow enough for something to be under way at any time."""
    with Sandbox(collections=COLLECTIONS, latency=0.02) as server:
        yield server


@contextmanager
def ray_of(cpus: int) -> Iterator[None]:
    """Have a Ray on this machine, with room for so many workers."""
    import ray  # noqa: PLC0415 - an extra

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(
        address="local",
        num_cpus=cpus,
        object_store_memory=128 << 20,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    try:
        yield
    finally:
        ray.shutdown()


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """Ray on this machine, with room for four workers."""
    with ray_of(4):
        yield
