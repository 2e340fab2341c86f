"""Clients with a cache, in a time that passes when told, and what their caches say."""

import asyncio
from typing import Any

import msgspec

from aegis_async import AegisClient, Cache, CacheStats, RetryPolicy
from aegis_async.sandbox import Sandbox
from tests.conftest import FakeClock

__all__ = ["Named", "keeping", "settled", "stats_of"]


class Named(msgspec.Struct, frozen=True):
    """A part of a collection."""

    name: str


def keeping(sandbox: Sandbox, clock: FakeClock, cache: Cache | None = None, **settings: Any) -> AegisClient:
    """Give a client with a cache, in a time that passes when told."""
    settings.setdefault("retry", RetryPolicy(max_attempts=1))
    made = AegisClient(sandbox.api_key, base_url=sandbox.url, cache=cache or Cache(), **settings)
    made._session.clock = clock.as_clock()
    return made


async def settled(client: AegisClient) -> None:
    """Wait until no refresh is under way."""
    while client._session.tasks()._tasks:
        await asyncio.sleep(0)


def stats_of(client: AegisClient) -> CacheStats:
    """Give what the client's cache holds and was good for."""
    assert client.cache is not None
    return client.cache.stats()
