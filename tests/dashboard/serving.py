"""What the tests of the dashboard share: a real server on loopback, and accounts in numbers."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from aiohttp import ClientSession

from aegis_async.dashboard import CollectionFacts, LiveSource, RunFacts, Source, State
from aegis_async.dashboard._server import listening, serve
from aegis_async.sandbox._documents import Record

BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # a Monday


class Reply(NamedTuple):
    """An answer of the dashboard."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body as JSON."""
        return json.loads(self.body)


class Site:
    """A dashboard on loopback, and somebody who asks it."""

    def __init__(self, url: str, session: ClientSession) -> None:
        self.url = url
        self.session = session

    async def get(self, path: str, method: str = "GET", **headers: str) -> Reply:
        """Ask for a path."""
        async with self.session.request(method, f"{self.url}{path}", headers=headers) as response:
            return Reply(response.status, {k.lower(): v for k, v in response.headers.items()}, await response.read())


@asynccontextmanager
async def site(source: Source, hosts: frozenset[str] | None = None) -> AsyncIterator[Site]:
    """Serve a source while this lasts."""
    with listening("127.0.0.1", 0) as listener:
        serving = asyncio.create_task(serve(source, listener, hosts))
        try:
            async with ClientSession() as session:
                yield Site(f"http://127.0.0.1:{listener.getsockname()[1]}", session)
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


async def settled(live: LiveSource, status: str = "live") -> State:
    """Wait until a live source is in a state."""
    while True:
        news = live.bell.next()
        if live.state().status == status and not live.state().pending:
            return live.state()
        await news.wait()


async def renewed(live: LiveSource, version: str) -> State:
    """Wait until a live source's numbers are others."""
    while live.state().version == version:
        await live.bell.next().wait()
    return live.state()


def documents(collections: int, *, seed: int = 0) -> list[Any]:
    """Give an account of the sandbox as the JSON that it sends, without any code of the package's models."""
    return [json.loads(b"".join(Record(seed, number, 0).full())) for number in range(1, collections + 1)]


def run_facts(number: int, **changes: Any) -> RunFacts:
    """Make a run that passed, an hour after the one before it."""
    began = BEGIN + timedelta(hours=number)
    given: dict[str, Any] = {
        "id": number,
        "model": "gpt-5",
        "alias": None,
        "started_at": began,
        "finished_at": began + timedelta(seconds=30),
        "result": 80.0,
        "threshold": 70.0,
        "passed": True,
        "scores": {"faith": 80.0},
        "cost": Decimal("0.5"),
        "metered": 1,
        "evaluations": 2,
        "judged": 2,
        "reached": 1,
    }
    return RunFacts(**{**given, **changes})


def collection_facts(number: int, runs: Sequence[RunFacts] = (), name: str = "Support QA") -> CollectionFacts:
    """Make a collection."""
    return CollectionFacts(number, name, "analyst@acme.com", BEGIN, None, ("March",), tuple(runs))
