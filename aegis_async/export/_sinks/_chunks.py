"""Chunks: some collections and the parts that hold their rows, written whole and rewritten without some."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from aegis_async.errors import ExportError
from aegis_async.export._arrow import SCHEMAS
from aegis_async.export._commits import Chunk, Part
from aegis_async.export._folder import Folder
from aegis_async.export._holdings import Mark
from aegis_async.export._layout import RAW
from aegis_async.export._shelf import Shelf
from aegis_async.export._sinks._file_format import FileFormat

__all__ = ["Chunks", "place", "too_many", "write_chunk"]

_SMALL: Final = 1 << 20  # bytes of raw lines
_SMALL_KEPT: Final = 32
_JOINED: Final = 8 << 20  # as above; so much is in memory at a time


class Chunks:
    """Writes chunks anew, which count from the folder's next commit on.

    Args:
        folder: The folder of the export.
        known: Every format by name.
    """

    def __init__(self, folder: Folder, known: Mapping[str, FileFormat]) -> None:
        self._folder = folder
        self._known = known

    def without(self, chunk: Chunk, ids: set[int]) -> Chunk | None:
        """Write a chunk anew without some of its collections; None when that leaves none.

        Raises:
            ExportError: It could not be read or written.
        """
        marks = [mark for mark in chunk.marks if mark.id not in ids]
        if not marks:
            return None
        name = self._folder.shelf.new_name()
        gone = pa.array(sorted(ids), pa.int64())
        parts: list[Part] = []
        size = 0
        for form, table, part in self._parts(chunk):
            rows = self._read(part, form, table)
            rest = rows.filter(pc.invert(pc.is_in(rows["collection_id"], gone)))
            size += rest.nbytes if table == RAW else 0
            if rest.num_rows:
                parts.append(_part(self._folder.shelf, table, name, form, rest))
        return Chunk(name, chunk.formats, tuple(marks), tuple(parts), size)

    def joined(self, chunks: Sequence[Chunk]) -> Chunk:
        """Write several chunks of the same formats as one.

        Raises:
            ExportError: They could not be read or written.
        """
        name, formats = self._folder.shelf.new_name(), chunks[0].formats
        parts: list[Part] = []
        for form, table in self._places(formats):
            path = f"{table}/{{}}.{form.extension}".format
            found = {part.path: part for chunk in chunks for part in chunk.parts}
            there = [found[path(chunk.name)] for chunk in chunks if path(chunk.name) in found]
            if there:
                rows = pa.concat_tables([self._read(part, form, table) for part in there])
                parts.append(_part(self._folder.shelf, table, name, form, rows))
        marks = tuple(mark for chunk in chunks for mark in chunk.marks)
        return Chunk(name, formats, marks, tuple(parts), sum(chunk.size for chunk in chunks))

    def empty(self, formats: Sequence[str]) -> Chunk | None:
        """Write a part without rows for each table that has no part at all, so that every query works.

        Raises:
            ExportError: It could not be written.
        """
        there = {place(part.path) for part in self._folder.state.parts()}
        wanting = [(form, table) for form, table in self._places(formats) if (table, form.extension) not in there]
        if not wanting:
            return None
        name = self._folder.shelf.new_name()
        shelf = self._folder.shelf
        parts = [_part(shelf, table, name, form, SCHEMAS[table].empty_table()) for form, table in wanting]
        return Chunk(name, tuple(formats), (), tuple(parts), 0)

    def _places(self, formats: Iterable[str]) -> Iterator[tuple[FileFormat, str]]:
        for name in formats:
            for table in self._known[name].tables:
                yield self._known[name], table

    def _parts(self, chunk: Chunk) -> Iterator[tuple[FileFormat, str, Part]]:
        forms = {(table, form.extension): form for form, table in self._places(chunk.formats)}
        for part in chunk.parts:
            yield forms[place(part.path)], place(part.path)[0], part

    def _read(self, part: Part, form: FileFormat, table: str) -> pa.Table:
        data = self._folder.store.get(part.path)
        try:
            return form.decode(data, SCHEMAS[table])
        except (ValueError, OSError) as error:
            complaint = str(error)
        raise ExportError(f"{part.path} is damaged: {complaint}; export into a new folder")


def write_chunk(
    shelf: Shelf, forms: Sequence[FileFormat], marks: Sequence[Mark], tables: Mapping[str, pa.Table]
) -> Chunk:
    """Write one chunk in these formats; a table without rows gets no part.

    Raises:
        ExportError: It could not be written.
    """
    name = shelf.new_name()
    chosen = [(form, tables[table], table) for form in forms for table in form.tables]
    parts = [_part(shelf, table, name, form, rows) for form, rows, table in chosen if rows.num_rows]
    return Chunk(name, tuple(form.name for form in forms), tuple(marks), tuple(parts), tables[RAW].nbytes)


def _part(shelf: Shelf, table: str, name: str, form: FileFormat, rows: pa.Table) -> Part:
    return shelf.put(table, name, form.extension, form.encode(rows), rows=rows.num_rows)


def too_many(chunks: Iterable[Chunk], formats: Sequence[str]) -> list[Chunk]:
    """Give small chunks that are better one: increments would leave a few files a night, for ever."""
    small = [chunk for chunk in chunks if chunk.formats == tuple(formats) and chunk.size < _SMALL]
    if len(small) <= _SMALL_KEPT:
        return []
    sizes = accumulate(chunk.size for chunk in small)
    return [chunk for chunk, size in zip(small, sizes, strict=True) if size < _JOINED]


def place(path: str) -> tuple[str, str]:
    """Give the folder and the extension of a part's path."""
    folder, _, file = path.partition("/")
    return folder, file.partition(".")[2]
