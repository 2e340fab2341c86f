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
    "is_commit",
    "is_part",
    "is_temporary_commit",
    "is_temporary_part",
    "part_name",
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
_PART: Final = re.compile(r"\d{6,}-\d{4,}\.[a-z]+(?:\.[a-z]+)?")


def chunk_name(commit: int, number: int) -> str:
    """Give the name of a chunk, which no other commit writes to: it holds the number of its commit."""
    return f"{commit:06}-{number:04}"


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
