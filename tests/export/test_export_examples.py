"""The examples for Airflow and Dagster run; `nox -s examples` has both."""

import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

from aegis_async.export import read_report
from aegis_async.sandbox import Sandbox

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is not there yet, and the variables set to a sandbox's."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    with Sandbox(collections=5) as sandbox:
        for name, value in sandbox.env.items():
            monkeypatch.setenv(name, value)
        yield tmp_path / "out"


@pytest.mark.filterwarnings("ignore")  # of others
def test_the_dagster_asset_is_materialized(out: Path) -> None:
    """Dagster runs it in its own process, and the counts are its metadata."""
    dagster = pytest.importorskip("dagster")
    asset = runpy.run_path(str(EXAMPLES / "dagster_asset.py"))["aegis_account"]

    ended = dagster.materialize([asset], run_config={"ops": {"aegis_account": {"config": {"out": str(out)}}}})

    assert ended.success
    assert "complete" == read_report(out).status


@pytest.mark.filterwarnings("ignore")  # of others
def test_the_airflow_tasks_do_their_work(out: Path) -> None:
    """The DAG has its two tasks in order, and what they call exports and checks."""
    pytest.importorskip("airflow")
    dag = runpy.run_path(str(EXAMPLES / "airflow_dag.py"))["exported"]

    fetched = dag.get_task("fetch").python_callable(str(out))
    dag.get_task("check").python_callable(fetched)

    assert {"check"} == dag.get_task("fetch").downstream_task_ids
    assert "complete" == read_report(out).status
