"""A finished export back as Arrow tables."""

from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Final

from aegis_async._arguments import choice
from aegis_async.errors import ExportError
from aegis_async.export._commits import Chunk, State, read_commits
from aegis_async.export._layout import RAW
from aegis_async.export._schema import TABLES
from aegis_async.export._sinks import file_formats, require
from aegis_async.export._store import Store
from aegis_async.export._stores import place_in, store_of

if TYPE_CHECKING:
    import pyarrow as pa

    from aegis_async.export._sinks._file_format import FileFormat

__all__ = ["read"]

_NAMES: Final = tuple(table.name for table in TABLES)


def read(out: str | PathLike[str], *tables: str) -> "dict[str, pa.Table]":
    """Give the tables of an export by name, as its commits say, whatever else lies beside them.

    It reads the first format of files that a collection is kept in, Parquet if it is there, and blocks; call it in
    a thread where a loop runs. All of it is in memory afterwards.

    Args:
        out: The folder or URL of an export.
        tables: Which tables, as ``"runs"``; all four when none is named.

    Raises:
        ExportError: It is no export, some of it is in databases alone or in a format that this version does not
            know, a part cannot be read, or pyarrow is not installed.
        InvalidArgumentError: There is no table of that name.
    """
    for name in tables:
        choice("tables", name, _NAMES)
    require(())
    store = store_of(out)
    state = State(read_commits(store))
    forms = file_formats(state.formats_held)
    if set(state.formats) <= {RAW}:
        raise ExportError(f"{place_in(out)} has no tables in files; ask its database")
    chunks = [(chunk, forms[_format(chunk, out)]) for chunk in state.chunks.values()]
    return {name: _table(store, chunks, name) for name in tables or _NAMES}


def _format(chunk: Chunk, out: str | PathLike[str]) -> str:
    """Give a format of one chunk: a run that was to add one to all of them may have been interrupted."""
    format_ = next((name for name in chunk.formats if name != RAW), None)
    if format_ is None:
        raise ExportError(f"{place_in(out)} holds collections in no format of files yet; export into it again")
    return format_


def _table(store: Store, chunks: "Sequence[tuple[Chunk, FileFormat]]", name: str) -> "pa.Table":
    import pyarrow as pa  # noqa: PLC0415 - an extra

    from aegis_async.export._arrow import TABLE_SCHEMAS  # noqa: PLC0415 - imports pyarrow too

    schema = TABLE_SCHEMAS[name]
    pieces = [schema.empty_table()]
    for chunk, form in chunks:
        path = f"{name}/{chunk.name}.{form.extension}"
        if any(part.path == path for part in chunk.parts):
            try:
                pieces.append(form.decode(store.get(path), schema))
            except (ValueError, OSError) as error:
                raise ExportError(f"{path} cannot be read: {error}; aegis-async verify tells more") from error
    return pa.concat_tables(pieces)
