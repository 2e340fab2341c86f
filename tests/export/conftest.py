"""What the tests of the export share: a small account, documents, and databases."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path

import msgspec
import pytest

from aegis_async import AegisClient, RetryPolicy
from aegis_async._decode import BodyDecoder
from aegis_async.errors import InvalidArgumentError
from aegis_async.export import export
from aegis_async.models import DataCollection
from aegis_async.sandbox import Sandbox
from tests.export import documents
from tests.export.documents import Document
from tests.export.postgres import cluster, psql
from tests.export.s3 import S3, serving

_numbers = count(1)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A small account."""
    async with Sandbox(collections=6) as server:
        yield server


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[AegisClient]:
    """A client that tries twice, at once."""
    at_once = RetryPolicy(max_attempts=2, initial=0.0, maximum=0.0)
    async with AegisClient(sandbox.api_key, base_url=sandbox.url, retry=at_once) as client:
        yield client


@pytest.fixture
async def at_rest(client: AegisClient, sandbox: Sandbox) -> int:
    """Leave only collections whose runs have ended, and give how many."""
    moving = [
        full.id
        async for full in client.data_collections.get_many(range(1, 7))
        if not all(run.finished_at for run in full.runs)
    ]
    for id_ in moving:
        sandbox.delete(id_)
    return 6 - len(moving)


@pytest.fixture
def refused(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> Callable[..., Awaitable[str]]:
    """Give an export that must be refused before there is a request or a folder; it gives the complaint."""

    async def refuse(**arguments: object) -> str:
        with pytest.raises(InvalidArgumentError) as raised:
            await export(client, tmp_path / "out", **arguments)  # type: ignore[arg-type]  # wrong ones too
        assert [] == sandbox.requests
        assert not (tmp_path / "out").exists()
        return str(raised.value)

    return refuse


@pytest.fixture
def document() -> Callable[..., Document]:
    """Give the maker of a full collection with one dataset and one run; keywords replace what they name."""
    return documents.collection


@pytest.fixture
def run_document() -> Callable[[int, int], Document]:
    return documents.run


@pytest.fixture
def dataset_document() -> Callable[[int], Document]:
    return documents.dataset


@pytest.fixture
def decoded() -> Callable[[Document], DataCollection]:
    """Give the way from a document to its Struct, through JSON."""
    decode = BodyDecoder(DataCollection)
    return lambda document: decode(msgspec.json.encode(document))


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[str]:
    with cluster() as address:
        yield address


@pytest.fixture
def postgres(postgres_cluster: str) -> Callable[[], str]:
    """Give the maker of empty databases, which gives their addresses."""

    def make() -> str:
        name = f"export_{next(_numbers)}"
        psql(f"{postgres_cluster}/postgres", f"CREATE DATABASE {name}")
        return f"{postgres_cluster}/{name}"

    return make


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    with serving() as server:
        yield server


@pytest.fixture
def s3(s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    """Give an S3 server that does as it should, with its address and credentials in the environment."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    # What is tried again is tried at once: botocore would wait for up to three seconds.
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
    yield s3_server
    s3_server.refuse, s3_server.conditions, s3_server.page = (lambda _: None), True, None


@pytest.fixture
def bucket(s3: S3) -> str:
    """Give the URL of an empty bucket."""
    return f"s3://{s3.bucket()}"
