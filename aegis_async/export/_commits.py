"""Commits: the one place where parts become part of an export."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from aegis_async.errors import ExportError
from aegis_async.export._layout import COMMITS, is_commit
from aegis_async.export._store import Store

__all__ = ["COMMIT_FORMAT", "Commit", "Part", "live_parts", "read_commits"]

COMMIT_FORMAT: Final = 1


class Part(msgspec.Struct, frozen=True, gc=False):
    """One file of an export.

    Attributes:
        path: Its path in the export's folder, with ``/``.
        rows: How many rows or lines it holds.
        bytes: Its size.
        sha256: The sum of its bytes.
    """

    path: str
    rows: int
    bytes: int
    sha256: str


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """What one run added to an export and what it took away.

    Attributes:
        format: The version of this file's own shape.
        number: Its place in the order of commits, from 1.
        status: The run's status, as in its report.
        schema_version: The schema of the tables in its parts.
        sdk_version: The version of this package that wrote it.
        created_at: When it was made.
        parts: The parts it adds.
        retired: The paths of earlier parts that these replace.
    """

    format: int = COMMIT_FORMAT
    number: int
    status: str
    schema_version: int
    sdk_version: str
    created_at: datetime
    parts: tuple[Part, ...]
    retired: tuple[str, ...]


class _Version(msgspec.Struct):
    format: int


def read_commits(store: Store) -> list[Commit]:
    """Give the commits of an export in their order.

    Raises:
        ExportError: One was written by a newer version of this package, or is damaged.
    """
    return [_decoded(path, store.get(path)) for path in store.list(COMMITS) if is_commit(path)]


def _decoded(path: str, data: bytes) -> Commit:
    try:
        version = msgspec.json.decode(data, type=_Version).format
        if version == COMMIT_FORMAT:
            return msgspec.json.decode(data, type=Commit)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ExportError(f"{path} is damaged: {error}; export into a new folder") from None
    raise ExportError(
        f"{path} has format {version}, and this version of aegis_async knows {COMMIT_FORMAT}: "
        "export into a new folder, or with the version that wrote it"
    )


def live_parts(commits: Iterable[Commit]) -> dict[str, Part]:
    """Give the parts that the commits leave in force, by path."""
    live: dict[str, Part] = {}
    for commit in commits:
        for path in commit.retired:
            live.pop(path, None)
        live |= {part.path: part for part in commit.parts}
    return live
