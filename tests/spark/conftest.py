"""What the tests of the Spark source share: options that lead to the sandbox, and one Spark for all."""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from aegis_async import AegisClient
from aegis_async._spark._options import Options
from aegis_async.export import export, read
from aegis_async.sandbox import Sandbox
from tests.missing import missing

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.python.filterPushdown.enabled": "true",
    "spark.eventLog.enabled": "true",
    "spark.eventLog.compress": "false",
    "spark.eventLog.rolling.enabled": "false",
    # What runs once is not worth compiling well.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "spark.sql.codegen.wholeStage": "false",
}


@pytest.fixture
def options(sandbox: Sandbox) -> Callable[..., Options]:
    """Give the maker of options for the sandbox; keywords are further ones, as texts."""

    def make(table: str = "runs", **more: str) -> Options:
        return Options.of({"table": table, "token": sandbox.api_key, "base_url": sandbox.url, **more})

    return make


@pytest.fixture(scope="session")
def event_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of Spark's event log."""
    return tmp_path_factory.mktemp("events")


@pytest.fixture(scope="session")
def spark_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file into which Spark and its workers log."""
    return tmp_path_factory.mktemp("log") / "stderr.txt"


@contextmanager
def stderr_to(file: Path) -> Iterator[None]:
    """Let processes that are started inside have this file as their standard error."""
    own = os.dup(2)
    with file.open("wb") as opened:
        os.dup2(opened.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(own, 2)
        os.close(own)


@pytest.fixture(scope="session")
def spark(event_log: Path, spark_log: Path) -> Iterator[Any]:
    """One Spark on this machine, whose tasks get a second chance."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        missing("Java 17", "openjdk-17-jre-headless")
    from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra

    with pytest.MonkeyPatch.context() as patch, stderr_to(spark_log):
        for name in ("AEGIS_API_KEY", "AEGIS_BASE_URL"):
            patch.delenv(name, raising=False)
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        builder = SparkSession.builder.master("local[2,2]").config(map=SETTINGS)
        session = builder.config("spark.eventLog.dir", event_log.as_uri()).getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="session")
def account() -> Iterator[Sandbox]:
    """An account that no test changes."""
    with Sandbox(collections=15) as running:
        yield running


@pytest.fixture
def served(account: Sandbox) -> Iterator[Sandbox]:
    """The same account, without the requests and the faults of other tests."""
    account.clear_faults()
    account.clear_requests()
    yield account
    account.clear_faults()


@pytest.fixture(scope="session")
def exported(account: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    """Give the tables of the account's export."""
    out = tmp_path_factory.mktemp("export")

    async def run() -> None:
        async with AegisClient(account.api_key, base_url=account.url) as client:
            await export(client, out)

    asyncio.run(run())
    return read(out)
