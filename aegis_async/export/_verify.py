"""Is what the commits say what the disk holds: sums, counts, keys and references, part by part."""

import hashlib
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from aegis_async.errors import ExportError
from aegis_async.export._commits import Chunk, Part, State, read_commits
from aegis_async.export._layout import DUCKDB, FOLDERS, RAW, SQLITE, is_part
from aegis_async.export._schema import TABLES
from aegis_async.export._sinks import file_formats, require
from aegis_async.export._store import Store
from aegis_async.export._stores import local_folder, store_of

if TYPE_CHECKING:
    import pyarrow as pa

    from aegis_async.export._sinks._file_format import FileFormat

__all__ = ["verify"]


def verify(out: str | PathLike[str]) -> list[str]:
    """Give what is wrong with an export, a sentence each; nothing when it is as its commits say.

    Reads every part once, and asks no service: sums, counts, keys that come twice, evaluations without their run,
    runs without their collection, files that no commit names, and fewer collections than were listed. A DuckDB or
    SQLite file in the folder is checked for the same by queries. It blocks; call it in a thread.

    Args:
        out: The folder or URL of an export at which nothing is at work.

    Raises:
        ExportError: It is no export, its commits cannot be read or name a format that this version does not know, or
            pyarrow is not installed.
    """
    require(())
    store, folder = store_of(out), local_folder(out)
    state = State(read_commits(store))
    databases = () if folder is None else _databases(folder)  # they are files of a local folder
    return [*_strays(store, state), *_chunks(store, state), *_totals(state), *databases]


def _strays(store: Store, state: State) -> Iterator[str]:
    live = {part.path for part in state.parts()}
    for path in (path for folder in FOLDERS for path in store.list(folder)):
        if path not in live and is_part(path.rpartition("/")[2]):
            yield f"{path}: no commit names it; the next export removes it"


def _chunks(store: Store, state: State) -> Iterator[str]:
    for one in state.set_aside.values():
        for part in one.parts:
            yield from _bytes(part, store)[1]
    forms = file_formats(state.formats_held)
    held = set[int]()
    for chunk in state.chunks.values():
        for mark in chunk.marks:
            if mark.id in held:
                yield f"collection {mark.id} is in two chunks, one of them {chunk.name}"
            held.add(mark.id)
        for name in chunk.formats:
            yield from _chunk(chunk, forms[name], store)


def _chunk(chunk: Chunk, form: "FileFormat", store: Store) -> Iterator[str]:
    tables: dict[str, pa.Table | None] = {}
    for part in chunk.parts:
        table, _, file = part.path.partition("/")
        if table in form.tables and file == f"{chunk.name}.{form.extension}":
            tables[table], faults = _rows(part, form, table, store)
            yield from faults
    readable = {name: rows for name, rows in tables.items() if rows is not None}
    if len(readable) < len(tables):  # what their rows refer to may be in the others
        return
    from aegis_async.export._checks import rows_at_fault  # noqa: PLC0415 - imports pyarrow, which is an extra

    first = RAW if RAW in form.tables else TABLES[0].name
    place = f"{chunk.name} ({form.name})"
    yield from (f"{place}: {fault}" for fault in rows_at_fault(readable, {mark.id for mark in chunk.marks}, first))


def _rows(part: Part, form: "FileFormat", table: str, store: Store) -> "tuple[pa.Table | None, list[str]]":
    from aegis_async.export._arrow import SCHEMAS  # noqa: PLC0415 - as above

    data, faults = _bytes(part, store)
    if data is None:
        return None, faults
    try:
        rows = form.decode(data, SCHEMAS[table])
    except (ValueError, OSError) as error:
        return None, [f"{part.path}: cannot be read: {error}"]
    if rows.num_rows != part.rows:
        faults.append(f"{part.path}: has {rows.num_rows} rows, and its commit says {part.rows}")
    return rows, faults


def _bytes(part: Part, store: Store) -> tuple[bytes | None, list[str]]:
    try:
        data = store.get(part.path)
    except ExportError as error:
        return None, [str(error)]
    if len(data) != part.bytes:
        return None, [f"{part.path}: has {len(data)} bytes, and its commit says {part.bytes}"]
    if hashlib.sha256(data).hexdigest() != part.sha256:
        return None, [f"{part.path}: its bytes are not those that were written: another sha256"]
    return data, []


def _totals(state: State) -> Iterator[str]:
    if state.listing is None or not state.chunks or set(state.formats) == {RAW}:
        return
    living = {mark.id for chunk in state.chunks.values() for mark in chunk.marks} - state.buried
    if len(living) < state.listing.items:
        yield f"the last listing had {state.listing.items} collections, and {len(living)} are held"


def _databases(folder: Path) -> Iterator[str]:
    from aegis_async.export._checks_sql import duckdb_at_fault, sqlite_at_fault  # noqa: PLC0415 - not for other formats

    for name, check in ((SQLITE, sqlite_at_fault), (DUCKDB, duckdb_at_fault)):
        if (folder / name).is_file():
            yield from (f"{name}: {fault}" for fault in check(folder / name))
