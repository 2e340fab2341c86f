"""A client whose tasks and connections can be counted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from aegis_async import AegisClient
from aegis_async.sandbox import Sandbox
from tests.conftest import TURNS

__all__ = ["Counted", "counted_client"]


class Counted:
    """A client whose tasks and connections can be counted, and the service that it asks."""

    def __init__(self, client: AegisClient, connector: aiohttp.TCPConnector, sandbox: Sandbox) -> None:
        self.client = client
        self.sandbox = sandbox
        self._connector = connector

    @property
    def left(self) -> tuple[int, int]:
        """Tasks that are not done, and connections that are checked out."""
        return len(asyncio.all_tasks() - {asyncio.current_task()}), len(self._connector._acquired)

    async def left_soon(self) -> tuple[int, int]:
        """The same, after the loop's next few turns."""
        for _ in range(2 * TURNS):  # a fan-out ends first, then the listing that it takes its ids from
            await asyncio.sleep(0)
        return self.left


@asynccontextmanager
async def counted_client(collections: int) -> AsyncIterator[Counted]:
    """Give a client of a sandbox in a thread of its own, so that every task of this loop is the client's."""
    connector = aiohttp.TCPConnector()
    with Sandbox(collections=collections) as sandbox:
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            AegisClient(sandbox.api_key, base_url=sandbox.url, session=session) as client,
        ):
            yield Counted(client, connector, sandbox)
