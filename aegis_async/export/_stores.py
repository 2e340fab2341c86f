"""The store of an export by its place: a local folder, or the URL of an object store."""

from os import PathLike
from pathlib import Path

from aegis_async.export._store import LocalStore, Store

__all__ = ["store_at"]


def store_at(out: str | PathLike[str]) -> Store:
    """Give the store of an export's place, which can be pickled for a worker process."""
    return LocalStore(Path(out))
