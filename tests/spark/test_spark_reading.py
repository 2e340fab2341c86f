"""Claims about the source in a real Spark: rows, filters, faults, and where the key is not."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from aegis_async import AegisDataSource
from aegis_async.export import TABLES, Table
from aegis_async.sandbox import Sandbox

pytestmark = [
    pytest.mark.spark,
    # PySpark says so at every conversion; no pandas is used here.
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas >= 3:FutureWarning"),
]
pytest.importorskip("pyspark.sql.datasource")

Read = Callable[..., Any]


@pytest.fixture
def read(spark: Any, served: Sandbox) -> Read:
    """Give what begins a read of the account; keywords are options."""
    spark.dataSource.register(AegisDataSource)

    def begin(**more: object) -> Any:
        given = {"token": served.api_key, "base_url": served.url, **more}
        return spark.read.format("aegis").options(**given)

    return begin


@pytest.fixture
def worker_key(spark: Any, served: Sandbox) -> Iterator[None]:
    """Put the key into the environment of the workers, as ``spark.executorEnv`` does."""
    environment = spark.sparkContext.environment
    environment["AEGIS_API_KEY"] = served.api_key
    yield
    del environment["AEGIS_API_KEY"]


def bodies(sandbox: Sandbox) -> list[int]:
    """Give the ids of the collections that were fetched."""
    paths = [request.path.rpartition("/data-collections/")[2] for request in sandbox.requests]
    return sorted(int(path) for path in paths if path.isdigit())


def in_order(table: Table, rows: pa.Table) -> list[dict[str, Any]]:
    """Give rows by their key."""
    ordered: list[dict[str, Any]] = rows.sort_by([(name, "ascending") for name in table.key]).to_pylist()
    return ordered


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_is_the_exports(read: Read, exported: dict[str, pa.Table], table: Table) -> None:
    """Every row and every value is that of the export: nulls, exact costs, times in UTC, and free-form JSON as text."""
    frame = read(table=table.name, partitions=3).load()

    assert in_order(table, exported[table.name]) == in_order(table, frame.toArrow())
    assert [(c.name, c.nullable) for c in table.columns] == [(field.name, field.nullable) for field in frame.schema]


def test_the_account_has_what_could_go_wrong(exported: dict[str, pa.Table]) -> None:
    """The comparison above is about something: there are nulls, costs, times and JSON in what is compared."""
    evaluations = exported["evaluations"]

    for name in ("result", "evaluation_cost", "finished_at", "eval_metadata"):
        assert 0 < evaluations[name].null_count < evaluations.num_rows


def test_each_collection_is_fetched_once(read: Read, served: Sandbox) -> None:
    """Partitions share the ids without overlap; the listing is one page."""
    frame = read(table="collections", partitions=4).load()

    assert 4 == frame.rdd.getNumPartitions()
    assert list(range(1, 16)) == sorted(row.id for row in frame.collect())
    assert list(range(1, 16)) == bodies(served)


def test_a_schema_chooses_columns(read: Read, exported: dict[str, pa.Table]) -> None:
    """Where a schema is given, only its columns come, in its order."""
    frame = read(table="runs").schema("threshold double, id bigint").load()

    rows = [(row.threshold, row.id) for row in frame.collect()]

    runs = exported["runs"]
    assert sorted(zip(runs["threshold"].to_pylist(), runs["id"].to_pylist(), strict=True)) == sorted(rows)


@pytest.mark.parametrize(
    ("where", "fetched"),
    [
        ("collection_id = 14", [14]),
        ("collection_id IN (3, 14, 99) AND threshold > 0", [3, 14, 99]),
        ("collection_id > 12 AND collection_id <= 14", [13, 14]),
        ("collection_id >= 13 AND collection_id <> 14 AND id > 0", [13, 15]),
    ],
)
def test_filters_on_the_id_save_requests(
    read: Read, served: Sandbox, exported: dict[str, pa.Table], where: str, fetched: list[int]
) -> None:
    """Only the collections that a filter leaves are fetched, and the rows are those that it asks for."""
    rows = read(table="runs", pushdown=True).load().where(where).select("collection_id", "id").collect()

    pairs = zip(exported["runs"]["collection_id"].to_pylist(), exported["runs"]["id"].to_pylist(), strict=True)
    assert sorted(pair for pair in pairs if pair[0] in fetched) == sorted(tuple(row) for row in rows)
    assert fetched == bodies(served)


def test_without_pushdown_spark_filters(read: Read, served: Sandbox) -> None:
    """Unless it is asked for, all collections are fetched, and the rows are the same."""
    assert {14} == {row.collection_id for row in read(table="runs").load().where("collection_id = 14").collect()}
    assert list(range(1, 16)) == bodies(served)


def test_an_empty_account_is_an_empty_table(read: Read) -> None:
    """No collections are no rows and no error."""
    with Sandbox(collections=0) as empty:
        assert 0 == read(table="evaluations", base_url=empty.url, token=empty.api_key).load().count()


def test_a_task_that_fails_runs_again_and_gives_the_same(
    read: Read, served: Sandbox, exported: dict[str, pa.Table]
) -> None:
    """Spark repeats a task whose attempts are used up, and no row is missing or there twice."""
    served.fail("/data-collections/7", status=501)

    rows = read(table="runs", partitions=2).load().toArrow()

    assert in_order(TABLES[2], exported["runs"]) == in_order(TABLES[2], rows)
    assert 2 == bodies(served).count(7)


def test_a_failing_collection_is_named_without_the_key(read: Read, served: Sandbox, spark_log: Path) -> None:
    """The read fails with the request in its text; neither that nor what Spark logs holds the key, echoed or not."""
    served.fail("/data-collections/7", status=501, body=f'{{"detail": "no {served.api_key}"}}', times=None)

    with pytest.raises(Exception, match="ServerError: GET /data-collections/7: 501") as raised:
        read(table="runs").load().collect()

    logged = spark_log.read_text(encoding="utf-8", errors="replace")
    assert "GET /data-collections/7" in logged
    assert served.api_key not in f"{raised.value}{raised.value!r}{logged}"


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"table": "runs", "partition": 3}, "unknown option partition: known are table"),
        ({"table": "run"}, "option table must be one of collections, datasets, runs, evaluations"),
    ],
)
def test_a_wrong_option_fails_the_load(read: Read, served: Sandbox, given: dict[str, Any], complaint: str) -> None:
    """The error comes before anything is sent, names the option, and does not hold the key."""
    with pytest.raises(Exception, match=complaint) as raised:
        read(**given).load()

    assert served.api_key not in str(raised.value)
    assert [] == served.requests


@pytest.mark.usefixtures("worker_key")
def test_the_workers_environment_may_have_the_key(spark: Any, served: Sandbox, exported: dict[str, pa.Table]) -> None:
    """Without the option token, driver and tasks take it from their environment."""
    spark.dataSource.register(AegisDataSource)

    frame = spark.read.format("aegis").options(table="runs", base_url=served.url).load()

    assert exported["runs"].num_rows == frame.count()


def test_without_a_key_the_read_says_so(spark: Any, served: Sandbox) -> None:
    """The error names the option and the variable."""
    spark.dataSource.register(AegisDataSource)

    with pytest.raises(Exception, match="no API key: give the option token, or set AEGIS_API_KEY"):
        spark.read.format("aegis").options(table="runs", base_url=served.url).load().count()


def test_no_plan_holds_the_key(read: Read, served: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """No form of a plan shows the key, whether of the frame or of a view on it."""
    frame = read(table="runs", pushdown=True).load().where("collection_id = 14")

    for mode in ("simple", "extended", "codegen", "cost", "formatted"):
        frame.explain(mode=mode)

    shown = capsys.readouterr().out + frame._jdf.queryExecution().toString() + repr(frame)
    assert "BatchScan aegis" in shown
    assert served.api_key not in shown


def test_the_event_log_does_not_hold_the_key(read: Read, served: Sandbox, event_log: Path) -> None:
    """What the history server shows later has the query and not its key."""
    assert 15 == read(table="collections").load().count()

    logged = "".join(file.read_text(encoding="utf-8") for file in event_log.iterdir() if file.is_file())
    assert "BatchScan aegis" in logged
    assert served.api_key not in logged
