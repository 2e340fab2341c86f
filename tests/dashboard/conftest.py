"""Fixtures of the dashboard's tests."""

from collections.abc import AsyncIterator

import pytest

from aegis_async import AegisClient, Cache, RetryPolicy
from aegis_async.dashboard import LiveSource
from aegis_async.sandbox import Sandbox
from tests.dashboard.serving import Site, settled, site


@pytest.fixture
async def caching(sandbox: Sandbox) -> AsyncIterator[AegisClient]:
    once = RetryPolicy(max_attempts=1)
    async with AegisClient(sandbox.api_key, base_url=sandbox.url, cache=Cache(), retry=once) as made:
        yield made


@pytest.fixture
async def live(caching: AegisClient) -> AsyncIterator[LiveSource]:
    """A live source over the sandbox's twenty collections that has read all of them."""
    async with LiveSource(caching) as source:
        await settled(source)
        yield source


@pytest.fixture
async def quick(caching: AegisClient) -> AsyncIterator[LiveSource]:
    """A live source that looks for changes all the time."""
    async with LiveSource(caching, interval=0.05) as source:
        await settled(source)
        yield source


@pytest.fixture
async def live_site(live: LiveSource) -> AsyncIterator[Site]:
    async with site(live) as served:
        yield served
