"""What stands in the folder of an export, looked at as a reader does; and a way to stop an export half way."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from aegis_async.export import Progress
from aegis_async.export._commits import State, read_commits
from aegis_async.export._store import LocalStore
from aegis_async.sandbox import Sandbox

__all__ = ["TABLES", "Held", "files", "ids", "left_behind", "named", "parts", "raw_lines", "rows", "served", "state"]

TABLES = ("collections", "datasets", "runs", "evaluations")


def files(out: Path) -> set[str]:
    """Give what a reader can find, and what is unfinished."""
    paths = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    return paths - {"_commits/lock", "_report.json"}


def parts(out: Path) -> set[str]:
    return {path for path in files(out) if not path.startswith("_commits")}


def rows(out: Path) -> dict[str, int]:
    """Count with plain globs, as a reader does."""
    counts = {}
    for table in TABLES:
        (row,) = duckdb.execute(f"SELECT count(*) FROM '{out}/{table}/*.parquet'").fetchall()  # noqa: S608 - paths of ours
        counts[table] = row[0]
    return counts


def ids(out: Path) -> list[int]:
    found = duckdb.execute(f"SELECT id FROM '{out}/collections/*.parquet' ORDER BY id").fetchall()  # noqa: S608 - paths of ours
    return [id_ for (id_,) in found]


def raw_lines(out: Path) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for file in sorted((out / "raw").iterdir()):
        with pa.CompressedInputStream(pa.OSFile(str(file)), "zstd") as stream:
            lines += map(msgspec.json.decode, stream.read().splitlines())
    return lines


def state(out: Path) -> State:
    return State(read_commits(LocalStore(out)))


def named(out: Path) -> set[str]:
    """Give the parts that the commits name."""
    return {part.path for part in state(out).parts()}


def served(sandbox: Sandbox) -> Counter[str]:
    return Counter(request.path.rpartition("/data-collections")[2] for request in sandbox.requests)


class Held:
    """Stops an export after some collections, until the test goes on."""

    def __init__(self, after: int) -> None:
        self._after = after
        self.reached = asyncio.Event()

    def __call__(self, progress: Progress) -> None:
        if progress.done == self._after:
            self.reached.set()


def left_behind() -> list[str]:
    """Give the tasks of the package that still run, those of the sandbox left out."""
    files = (str(task.get_stack(limit=1)) for task in asyncio.all_tasks())
    return [file for file in files if "aegis_async" in file and "sandbox" not in file]
