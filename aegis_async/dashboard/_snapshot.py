"""Which files an export consists of at one of its commits, whatever is being written beside them."""

import glob
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Final, NamedTuple

from aegis_async.errors import ExportError, InvalidArgumentError
from aegis_async.export import ExportReport, read_report
from aegis_async.export._commits import State, read_commits
from aegis_async.export._store import LocalStore
from aegis_async.export._stores import local_folder

__all__ = ["TABLES", "Snapshot", "snapshot_of"]

TABLES: Final = ("collections", "datasets", "runs", "evaluations")
_FORMAT: Final = "parquet"
_TRIES: Final = 3


class Snapshot(NamedTuple):
    """An export as one commit left it. Its files never change; a later commit may take them away.

    Attributes:
        version: Tells it from every other one, also from that of another export in the same folder.
        report: Of the last run that ended.
        collections: How many collections it holds.
        files: The Parquet files of each table, as DuckDB takes them.
    """

    version: str
    report: ExportReport
    collections: int
    files: Mapping[str, list[str]]


def snapshot_of(out: str | PathLike[str]) -> Snapshot:
    """Give the latest one.

    Raises:
        InvalidArgumentError: ``out`` holds no finished export with Parquet files.
    """
    folder = local_folder(out)
    if folder is None:
        raise InvalidArgumentError("out must be a local folder here: copy the objects into one, and show that")
    tries_left = _TRIES
    while True:
        try:
            return _read(folder)
        except ExportError as error:
            complaint = str(error)
        tries_left -= 1
        # An export may have put one commit in the place of many between two looks.
        if not tries_left:
            raise InvalidArgumentError(f"out must be the folder of a finished export: {complaint}")


def _read(out: Path) -> Snapshot:
    report = read_report(out)
    commits = read_commits(LocalStore(out))
    state = State(commits)
    chunks = state.chunks.values()
    if _FORMAT not in state.formats or any(_FORMAT not in chunk.formats for chunk in chunks):
        raise ExportError(f"{out} does not hold all of its tables as Parquet files")
    paths = [part.path for chunk in chunks for part in chunk.parts if part.path.endswith(f".{_FORMAT}")]
    return Snapshot(
        version=f"export-{state.number}-{commits[-1].created_at:%Y%m%d%H%M%S%f}",
        report=report,
        collections=sum(len(chunk.marks) for chunk in chunks),
        files={
            table: [glob.escape(str(out / path)) for path in paths if path.startswith(f"{table}/")] for table in TABLES
        },
    )
