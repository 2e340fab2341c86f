"""An export with workers into an object store, on a Ray that begins with the store's credentials."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from aegis_async import AegisClient
from aegis_async.export import export, verify
from aegis_async.models import DataCollection
from aegis_async.sandbox import Sandbox
from tests.export.s3 import serving
from tests.ray.accounts import content, fetches
from tests.ray.conftest import ray_of

pytestmark = pytest.mark.ray


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the URL of an empty bucket and begin a Ray, with the server's address and credentials in the environment."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with serving() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        bucket = f"s3://{server.bucket()}"
        with ray_of(2):  # its processes have the environment that it begins with
            yield bucket


def unsettled(collection: DataCollection) -> bool:
    return not all(run.finished_at for run in collection.runs)


async def test_workers_write_into_an_object_store(bucket: str, tmp_path: Path) -> None:
    """The tables are those of a local export, nothing is wrong with them, and a rerun fetches nothing."""
    out = f"{bucket}/nightly"
    with Sandbox(collections=12) as sandbox:
        async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
            moving = [full.id async for full in client.data_collections.get_many(range(1, 13)) if unsettled(full)]
            for id_ in moving:
                sandbox.delete(id_)
            await export(client, tmp_path)
            report = await export(client, out, engine="ray", workers=2)
            sandbox.clear_requests()
            again = await export(client, out, engine="ray", workers=2)
        asked = fetches(sandbox)

    count = 12 - len(moving)
    assert ("complete", count) == (report.status, report.fetched)
    assert await asyncio.to_thread(content, out) == content(tmp_path)
    assert [] == await asyncio.to_thread(verify, out)
    assert 0 == asked
    assert ("complete", 0, count) == (again.status, again.fetched, again.unchanged)
