"""The names in the folder of an export: which folders are ours, and which files in them."""

import re
from typing import Final

from aegis_async.export._schema import TABLES

__all__ = [
    "COMMITS",
    "DELTA",
    "DUCKDB",
    "DUCKDB_COPY",
    "DUCKDB_WORK",
    "FOLDERS",
    "LOCK",
    "QUARANTINE",
    "RAW",
    "REPORT",
    "SQLITE",
    "chunk_name",
    "commit_name",
    "commit_prefix",
    "is_commit",
    "is_part",
    "is_temporary_commit",
    "is_temporary_part",
    "part_name",
    "partition_prefix",
    "temporary_name",
]

RAW: Final = "raw"
QUARANTINE: Final = "quarantine"
COMMITS: Final = "_commits"
REPORT: Final = "_report.json"
DELTA: Final = "delta"
SQLITE: Final = "export.sqlite"
DUCKDB: Final = "export.duckdb"
DUCKDB_WORK: Final = ".export.duckdb.work"
DUCKDB_COPY: Final = ".export.duckdb.copy"
LOCK: Final = f"{COMMITS}/lock"
FOLDERS: Final = (*(table.name for table in TABLES), RAW, QUARANTINE)
"""The folders of parts, in the order in which they are made."""

_COMMIT: Final = re.compile(rf"{COMMITS}/\d{{6,}}\.json")
# Written by whoever commits: the number of the commit; by a worker: its run, partition and attempt.
_PREFIX: Final = r"(?:\d{6,}|[0-9a-f]{12}-\d{6,}-\d{2,})"
_PART: Final = re.compile(rf"{_PREFIX}-\d{{4,}}\.[a-z]+(?:\.[a-z]+)?")


def commit_prefix(commit: int) -> str:
    """Give the beginning of the names of a commit's own parts, which no other commit writes to."""
    return f"{commit:06}"


def partition_prefix(run: str, partition: int, attempt: int) -> str:
    """Give the beginning of the names of a partition's parts: no other run, partition or attempt writes to them."""
    return f"{run}-{partition:06}-{attempt:02}"


def chunk_name(prefix: str, number: int) -> str:
    """Give the name of a chunk."""
    return f"{prefix}-{number:04}"


def part_name(folder: str, chunk: str, extension: str) -> str:
    """Give the path of a part of a chunk."""
    return f"{folder}/{chunk}.{extension}"


def is_part(name: str) -> bool:
    """Tell whether a file's name, without its folder, is one that `part_name` gives."""
    return _PART.fullmatch(name) is not None


def temporary_name(name: str) -> str:
    """Give the name of a file that is still being written, which no ``*.parquet`` matches."""
    return f".{name}.tmp"


def is_temporary_part(name: str) -> bool:
    """Tell whether a file's name is the temporary one of a part."""
    return name == temporary_name(name[1:-4]) and is_part(name[1:-4])


def is_commit(path: str) -> bool:
    """Tell whether a path is one that `commit_name` gives."""
    return _COMMIT.fullmatch(path) is not None


def is_temporary_commit(path: str) -> bool:
    """Tell whether a path is that of a commit that is still being written."""
    folder, _, name = path.rpartition("/")
    return name == temporary_name(name[1:-4]) and is_commit(f"{folder}/{name[1:-4]}")


def commit_name(commit: int) -> str:
    """Give the path of a commit."""
    return f"{COMMITS}/{commit:06}.json"
