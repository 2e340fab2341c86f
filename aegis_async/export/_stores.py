"""The store of an export by its place: a local folder, or the URL of an object store."""

import re
from os import PathLike, fspath
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from aegis_async.errors import ExportError, InvalidArgumentError
from aegis_async.export._layout import COMMITS
from aegis_async.export._store import LocalStore, Store

__all__ = ["local_folder", "place_in", "store_at", "store_of"]

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.:-]*://")


def store_at(out: str | PathLike[str]) -> Store:
    """Give the store of an export's place, which can be pickled for a worker process.

    Raises:
        InvalidArgumentError: It is a URL with a user, a password or a query, or of no known kind.
        ExportError: A package is not installed; the text has the command to run.
    """
    folder = local_folder(out)
    if folder is not None:
        return LocalStore(folder)
    from aegis_async.export._objects import ObjectStore  # noqa: PLC0415 - imports fsspec, which is an extra

    return ObjectStore(fspath(out))


def store_of(out: str | PathLike[str]) -> Store:
    """Give the store of an export that is there.

    Raises:
        InvalidArgumentError: As `store_at`.
        ExportError: There is none, or a package is not installed.
    """
    store = store_at(out)
    if not store.has(COMMITS):
        raise ExportError(f"{place_in(out)} is no export: it has no {COMMITS}")
    return store


def local_folder(out: str | PathLike[str]) -> Path | None:
    """Give the local folder that ``out`` is, None for the URL of an object store.

    Raises:
        InvalidArgumentError: It is no path, or a URL with a user, a password or a query, or of another machine's files.
    """
    if not isinstance(out, str | PathLike):
        raise InvalidArgumentError(f"out must be a path or a URL, not {type(out).__name__}")
    text = fspath(out)
    if not _URL.match(text):
        return Path(out)
    try:
        parts = urlsplit(text)
    except ValueError:  # its words repeat the URL
        parts = None
    # Such a URL may hold a secret: it is not repeated.
    if parts is None or "@" in parts.netloc or parts.query or parts.fragment:
        raise InvalidArgumentError(
            "out must be a URL without a user, a password, a query or a fragment, as s3://bucket/prefix; "
            "credentials come from the environment"
        )
    if parts.scheme != "file":
        return None
    if parts.netloc not in {"", "localhost"}:
        raise InvalidArgumentError(f"out must be on this machine, as file:///folder, not on {parts.netloc}")
    return Path(url2pathname(unquote(parts.path)))


def place_in(out: str | PathLike[str], *names: str) -> str:
    """Give the place of something in ``out`` as people write it: a path, or a URL."""
    folder = local_folder(out)
    return str(folder.joinpath(*names)) if folder is not None else "/".join((fspath(out).rstrip("/"), *names))
