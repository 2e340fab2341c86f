"""The formats of files as one sink: every batch becomes parts of each, and one commit."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from aegis_async.export._commits import Chunk, SetAside
from aegis_async.export._evidence import ListingEvidence
from aegis_async.export._folder import Folder
from aegis_async.export._holdings import Holdings, Mark
from aegis_async.export._layout import RAW
from aegis_async.export._shelf import Shelf
from aegis_async.export._sinks._chunks import Chunks, place, too_many, write_chunk
from aegis_async.export._sinks._file_format import TABLE_NAMES, FileFormat
from aegis_async.export._sinks._protocol import Batch
from aegis_async.export._sinks._quarantine import set_aside

__all__ = ["Files", "written"]

_ELSEWHERE: Final = "?"  # a fingerprint that no summary has: held, but not in every format that is wanted


class Files:
    """Keeps collections in chunks, with a part for every table and format, and what is set aside beside them.

    Args:
        folder: The folder of the export.
        formats: The formats that are wanted; others that the folder holds already are kept up too.
        known: Every format by name, in the order in which they are written.
        intent: What this run goes through.
    """

    def __init__(self, folder: Folder, formats: Iterable[str], known: Mapping[str, FileFormat], intent: str) -> None:
        state = folder.state
        wanted = {RAW, *state.formats, *formats}
        self._folder = folder
        self._known = known
        self._chunks = Chunks(folder, known)
        self._formats = tuple(name for name in known if name in wanted)
        self._extension = next((known[name].extension for name in self._formats if name != RAW), None)
        self._place = {mark.id: chunk.name for chunk in state.chunks.values() for mark in chunk.marks}
        self.holdings = Holdings(_marks(state.chunks.values(), self._formats), state.buried, state.current.next(intent))

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats in which every chunk is written."""
        return self._formats

    @property
    def number(self) -> int:
        """The number of the pass under way."""
        return self.holdings.current.number

    @property
    def demands(self) -> bool:
        """Whether there are tables; raw bodies alone stand beside a database, which knows what it lacks."""
        return self._extension is not None

    def write(self, batch: Batch) -> None:
        """Put the rows of these collections in the place of what is held of them, in one commit.

        Raises:
            ExportError: They could not be written.
        """
        forms = [self._known[name] for name in self._formats]
        self.adopt(*written(self._folder.shelf, forms, self.number, batch))

    def adopt(self, fresh: Sequence[Chunk], aside: Sequence[SetAside]) -> None:
        """Bring what is written already into force, in one commit, in the place of what is held of its collections.

        Raises:
            ExportError: The commit could not be written.
        """
        state, marks = self._folder.state, [mark for chunk in fresh for mark in chunk.marks]
        ids = {mark.id for mark in marks}
        kept, retired = self._without(ids)
        judged = ids | {one.id for one in aside if one.id is not None}
        self._commit(
            added=(*fresh, *kept),
            retired=retired,
            set_aside=tuple(aside),
            released=self._set_aside_of(judged),
            risen=tuple(sorted(ids & state.buried)),
        )
        self.holdings.take(marks)

    def bury(self, ids: Sequence[int], *, drop: bool) -> None:
        """Note that the service no longer has these collections.

        Raises:
            ExportError: It could not be written.
        """
        buried = self._folder.state.buried
        new = {id_ for id_ in ids if id_ in self._place and id_ not in buried}
        gone = {*ids, *buried} if drop else set[int]()
        dropped, released = gone & self._place.keys(), self._set_aside_of(gone)
        if not new and not dropped and not released:
            return
        kept, retired = self._without(dropped)
        self._commit(added=kept, retired=retired, released=released, buried=tuple(sorted(new)))
        for id_ in dropped:
            del self._place[id_]
        self.holdings.bury(new | dropped, drop=drop)

    def finish(self, listing: ListingEvidence | None) -> None:
        """End the pass: every table can be asked, and listed items of earlier passes leave the quarantine.

        Raises:
            ExportError: It could not be written.
        """
        current = self.holdings.current
        small = too_many(self._folder.state.chunks.values(), self._formats)
        if small:
            self._commit(added=(self._chunks.joined(small),), retired=tuple(chunk.name for chunk in small))
        empty = self._chunks.empty([name for name in self._formats if name != RAW])
        old = self._folder.state.set_aside.items()
        stale = [file for file, one in old if listing and one.id is None and one.number != current.number]
        self._commit(
            current=msgspec.structs.replace(current, finished=True),
            added=(empty,) if empty else (),
            released=tuple(stale),
            listing=listing,
        )
        self._folder.compact()

    def rows(self) -> Mapping[str, int]:
        """Give how many rows each table holds."""
        counts = Counter(dict.fromkeys(TABLE_NAMES, 0))
        for part in self._folder.state.parts():
            table, extension = place(part.path)
            if extension == self._extension and table in counts:
                counts[table] += part.rows
        return counts

    def close(self) -> None:
        """Let go of the folder; its lock is the run's."""

    def _commit(self, **changes: Any) -> None:
        self._folder.commit(**{"current": self.holdings.current, "formats": self._formats, **changes})
        for chunk in changes.get("added", ()):
            self._place |= dict.fromkeys((mark.id for mark in chunk.marks), chunk.name)

    def _set_aside_of(self, ids: set[int]) -> tuple[str, ...]:
        """Give the files in quarantine that are of these collections."""
        return tuple(file for file, one in self._folder.state.set_aside.items() if one.id in ids)

    def _without(self, ids: set[int]) -> tuple[tuple[Chunk, ...], tuple[str, ...]]:
        """Give the chunks that hold these collections' neighbours anew, and the names of the old ones."""
        names = sorted({self._place[id_] for id_ in ids if id_ in self._place})
        kept = [self._chunks.without(self._folder.state.chunks[name], ids) for name in names]
        return tuple(chunk for chunk in kept if chunk), tuple(names)


def written(shelf: Shelf, forms: Sequence[FileFormat], number: int, batch: Batch) -> tuple[list[Chunk], list[SetAside]]:
    """Write the parts of a batch, which count only from a commit on.

    Args:
        shelf: Where to.
        forms: The formats.
        number: The pass under way.
        batch: What to write.

    Raises:
        ExportError: They could not be written.
    """
    marks = [msgspec.structs.replace(mark, number=number) for mark in batch.marks]
    chunks = [write_chunk(shelf, forms, marks, batch.tables)] if marks else []
    return chunks, [set_aside(shelf, one, number) for one in batch.rejected]


def _marks(chunks: Iterable[Chunk], formats: Sequence[str]) -> Iterator[Mark]:
    for chunk in chunks:
        whole = set(formats) <= set(chunk.formats)
        yield from chunk.marks if whole else (Mark(mark.id, _ELSEWHERE, 0, settled=False) for mark in chunk.marks)
