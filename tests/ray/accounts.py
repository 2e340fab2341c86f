"""What an export left, compared byte by byte, and what the service was asked for it."""

from pathlib import Path

import pyarrow as pa

from aegis_async.export import TABLES, read
from aegis_async.export._commits import State, read_commits
from aegis_async.export._layout import FOLDERS
from aegis_async.export._store import LocalStore
from aegis_async.sandbox import Sandbox

__all__ = ["content", "fetches", "strays"]


def content(out: str | Path) -> dict[str, bytes]:
    """Give each table sorted by its key, as the bytes of one Arrow batch."""
    return {table.name: _bytes(read(out, table.name)[table.name], table.key) for table in TABLES}


def _bytes(table: pa.Table, key: tuple[str, ...]) -> bytes:
    ordered = table.sort_by([(column, "ascending") for column in key]).combine_chunks()
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, ordered.schema) as writer:
        writer.write_table(ordered)
    return bytes(stream.getvalue())


def fetches(sandbox: Sandbox) -> int:
    """Count the requests for full collections."""
    return sum(request.path.rpartition("/")[2].isdigit() for request in sandbox.requests)


def strays(out: Path) -> set[str]:
    """Give the files in the folders of parts that no commit names."""
    named = {part.path for part in State(read_commits(LocalStore(out))).parts()}
    return {f"{folder}/{file.name}" for folder in FOLDERS for file in (out / folder).iterdir()} - named
