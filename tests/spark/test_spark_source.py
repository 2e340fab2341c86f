"""Claims about what Spark registers and what goes to its tasks, without a Spark that runs."""

import pickle
import subprocess
import sys
from typing import Any

import pytest

from aegis_async._spark._options import Options
from aegis_async.sandbox import Sandbox

KEY = "sk_0123456789abcdef"
BLOCKED = """
import sys
sys.modules["pyspark"] = None
import aegis_async
try:
    aegis_async.AegisDataSource({})
except aegis_async.errors.ConfigurationError as error:
    print(error)
"""


def reader(**more: str) -> Any:
    """Give the reader of the runs with these options."""
    from aegis_async._spark._columns import spark_schema  # noqa: PLC0415 - imports the extra
    from aegis_async._spark._reader import reader as made  # noqa: PLC0415 - likewise

    return made(
        Options.of({"table": "runs", "token": KEY, "base_url": "http://127.0.0.1:1", **more}), spark_schema("runs")
    )


def test_without_pyspark_the_name_says_what_to_install() -> None:
    """The name is there for a look and for ``import *``; to use it takes the extra."""
    command = [sys.executable, "-W", "error", "-c", BLOCKED]

    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own code

    assert 'AegisDataSource needs PySpark 4.1 or later: pip install "aegis-async[spark]"\n' == said


@pytest.mark.spark
def test_each_partition_carries_its_part_of_the_rate() -> None:
    """A rate for the whole read is divided among the partitions that run at the same time."""
    pytest.importorskip("pyspark")
    with Sandbox(collections=8) as sandbox:
        more = {"token": sandbox.api_key, "base_url": sandbox.url, "rate_limit": "40", "partitions": "4"}

        planned = reader(**more, parallelism="2").partitions()

    assert [((1, 2), 20.0), ((3, 4), 20.0), ((5, 6), 20.0), ((7, 8), 20.0)] == [(p.ids, p.rate_limit) for p in planned]
    assert sandbox.api_key not in repr(planned)


@pytest.mark.spark
def test_only_who_asks_for_pushdown_gets_it() -> None:
    """Spark refuses any reader with ``pushFilters`` while its own configuration is off, so that is not the default."""
    datasource = pytest.importorskip("pyspark.sql.datasource")

    base = datasource.DataSourceReader.pushFilters

    assert base is reader().pushFilters.__func__
    assert base is not reader(pushdown="true").pushFilters.__func__


@pytest.mark.spark
def test_what_goes_to_the_tasks_pickles_and_does_not_show_the_key() -> None:
    """Source and reader travel as pickles; what they show of themselves is less."""
    pytest.importorskip("pyspark")
    from aegis_async import AegisDataSource  # noqa: PLC0415 - imports the extra

    source = pickle.loads(pickle.dumps(AegisDataSource({"table": "runs", "token": KEY})))
    sent = pickle.loads(pickle.dumps(reader(pushdown="true")))

    assert "aegis" == source.name()
    assert KEY not in f"{source!r}{sent!r}{sent._options!r}"
