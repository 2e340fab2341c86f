"""Fixtures of the dashboard's tests."""

from collections.abc import AsyncIterator, Iterator

import pytest

from aegis_async import AegisClient, Cache, RetryPolicy
from aegis_async.dashboard import LiveSource
from aegis_async.sandbox import Sandbox
from tests.dashboard.chromium import Page, browsing
from tests.dashboard.serving import Site, settled, site
from tests.dashboard.standing import over


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


@pytest.fixture(scope="module")
def tab() -> Iterator[Page]:
    with browsing() as page:
        yield page


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    """A tab as it is at first: wide, light, and with an empty console."""
    tab.driver.get("about:blank")
    tab.resize(1280, 900)
    tab.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    tab.complaints()
    yield tab
    assert [] == tab.complaints()


@pytest.fixture
def account() -> Iterator[Sandbox]:
    with Sandbox(collections=40) as running:
        yield running


@pytest.fixture
def url(account: Sandbox, tab: Page) -> Iterator[str]:
    with over(account) as address:
        yield address
        tab.driver.get("about:blank")  # before the server goes, of which an open page would complain
