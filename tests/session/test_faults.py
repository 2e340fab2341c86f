"""Claims about every fault of the wire: the right error, in time, in little memory, and nothing left."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from aegis_async import AegisClient, RetryPolicy
from aegis_async.errors import AegisError, RequestTimeoutError
from tests.session.catalogue import FAULTS, LIMIT
from tests.session.fault import Fault
from tests.session.wire import KEY, Wire

ATTEMPTS = 2
SLACK = 3.0  # seconds for a busy machine, on top of what the settings promise
TRACED = 8 << 20  # bytes at the most, of client and server together

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"

faults = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)


@asynccontextmanager
async def scene(fault: Fault, attempts: int = ATTEMPTS, **more: Any) -> AsyncIterator[tuple[Wire, AegisClient]]:
    """Set the stage for a fault: a server, and a client that retries without waiting."""
    options: dict[str, Any] = {"api_key": KEY, **{name: value() for name, value in fault.options.items()}, **more}
    retry = RetryPolicy(max_attempts=attempts, initial=0)
    async with (
        fault.scene() as served,
        AegisClient(
            base_url=served.url, timeout=fault.timeout, retry=retry, max_body_size=LIMIT, **options, **served.options
        ) as client,
    ):
        yield served, client


def promised(fault: Fault, attempts: int) -> float:
    """Give the seconds within which all attempts must be over."""
    return attempts * fault.timeout.attempt + SLACK


def acquired(client: AegisClient) -> int:
    """Give the connections that the pool of a client has given out."""
    session = client._session._transport._session
    assert session is not None
    assert session.connector is not None
    return len(session.connector._acquired)


@faults
async def test_a_fault_ends_in_its_error_and_leaves_nothing(fault: Fault) -> None:
    """A fault gives exactly its error after exactly its attempts, and no connection, slot or waiter is left."""
    attempts = ATTEMPTS if fault.again else 1
    async with scene(fault) as (served, client):
        with pytest.raises(AegisError, match=fault.says) as caught:
            async with asyncio.timeout(promised(fault, attempts)):
                await client.fetch("/x", dict[str, list[int]])

        stats = client.stats()
        assert (0, 0, attempts) == (stats.in_flight, stats.waiting, stats.attempts)
        assert 0 == acquired(client)

    error: Any = caught.value
    assert attempts == error.attempts
    assert fault.error is type(error)
    assert str(error).startswith("GET /x: ") or "(GET /x)" in str(error)
    assert str(error).endswith(f"(attempt {attempts} of {ATTEMPTS})")
    hops = 6 if "circles" in fault.what else 1
    assert len(served.heads) in (0, hops * attempts)
    if isinstance(error, RequestTimeoutError):
        assert getattr(fault.timeout, error.phase) == error.seconds
        assert f"`{error.phase}`" == fault.bound


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.floods], ids=lambda fault: fault.what)
async def test_a_flood_is_not_kept(fault: Fault) -> None:
    """However much a server sends, client and server together never hold more than a few MiB."""
    async with scene(fault, attempts=1) as (_, client):
        tracemalloc.start()
        try:
            with pytest.raises(AegisError, match=fault.says):
                await client.fetch("/x", bytes)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert TRACED > peak


def test_the_page_of_faults_has_every_fault() -> None:
    """The table in the docs has exactly the rows of the catalogue, in its order."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    table = lines[lines.index("| what happens | error | ends | another attempt |") + 2 :]

    shown = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table if line.startswith("|")]

    assert [fault.row for fault in FAULTS] == shown
