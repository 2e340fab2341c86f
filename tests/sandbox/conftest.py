"""What the sandbox's tests share: servers, and a plain HTTP client that knows nothing of the SDK."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from aegis_async.sandbox import Sandbox


@dataclass(frozen=True)
class Reply:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    json: Any


@pytest.fixture
async def ask() -> AsyncIterator[Callable[..., Awaitable[Reply]]]:
    """Send one request to a sandbox, for a path relative to its url, and read the answer."""
    async with aiohttp.ClientSession() as session:

        async def send(server: Sandbox, path: str, *, key: str | None = None, method: str = "GET") -> Reply:
            headers = {"Authorization": f"Bearer {server.api_key if key is None else key}"}
            async with session.request(method, f"{server.url}{path}", headers=headers) as response:
                body = await response.read()
                json = await response.json() if body and response.content_type == "application/json" else None
                return Reply(response.status, response.headers, body, json)

        yield send


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as server:
        yield server


@pytest.fixture(scope="module")
def steady() -> Iterator[Sandbox]:
    """A sandbox that no test of the module changes."""
    with Sandbox(collections=60) as server:
        yield server
