"""Commits: the one place where parts become part of an export, and the state that they add up to."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

import msgspec

from aegis_async._decode import BROKEN
from aegis_async._version import __version__
from aegis_async.errors import ExportError
from aegis_async.export._evidence import ListingEvidence
from aegis_async.export._holdings import Mark, Pass
from aegis_async.export._layout import COMMITS, is_commit
from aegis_async.export._schema import SCHEMA_VERSION
from aegis_async.export._store import Store

__all__ = ["COMMIT_FORMAT", "Chunk", "Commit", "Part", "SetAside", "State", "read_commits"]

COMMIT_FORMAT: Final = 2


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


class Chunk(msgspec.Struct, frozen=True):
    """Some collections and the parts that hold all of their rows.

    Attributes:
        name: Its parts' name in every folder, without the extension.
        formats: The formats of its parts.
        marks: Its collections.
        parts: Its files.
        size: What its raw lines take in memory; its files are compressed.
    """

    name: str
    formats: tuple[str, ...]
    marks: tuple[Mark, ...]
    parts: tuple[Part, ...]
    size: int


class SetAside(msgspec.Struct, frozen=True):
    """Something in quarantine.

    Attributes:
        id: The collection's id; None for an item of the listing that shows none.
        reason: What is wrong with it.
        number: The pass that met it.
        parts: Its bytes as they came, then the note beside them.
    """

    id: int | None
    reason: str
    number: int
    parts: tuple[Part, ...]

    @property
    def file(self) -> str:
        """The path of the bytes, which tells it from others."""
        return self.parts[0].path


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """What one batch, or the end of a run, changed in an export.

    Attributes:
        format: The version of this file's own shape.
        number: Its place in the order of commits, from 1.
        whole: Whether it repeats all that holds, so that earlier commits are not needed.
        current: The pass that it belongs to.
        formats: The formats that the folder holds.
        schema_version: The schema of the tables in its parts.
        sdk_version: The version of this package that wrote it.
        created_at: When it was made.
        added: The chunks that it adds.
        retired: The names of the chunks that it takes away.
        set_aside: What it adds to the quarantine.
        released: The files of the quarantine that it takes away.
        buried: Collections that the service no longer has.
        risen: Collections that it has again.
        listing: What the listing said of its completeness; None before its end, or when the ids were given.
    """

    format: int = COMMIT_FORMAT
    number: int
    whole: bool = False
    current: Pass
    formats: tuple[str, ...]
    schema_version: int = SCHEMA_VERSION
    sdk_version: str = __version__
    created_at: datetime
    added: tuple[Chunk, ...] = ()
    retired: tuple[str, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    released: tuple[str, ...] = ()
    buried: tuple[int, ...] = ()
    risen: tuple[int, ...] = ()
    listing: ListingEvidence | None = None


class State:
    """What the commits add up to.

    Attributes:
        number: The number of the last commit, 0 before the first.
        current: The last pass.
        formats: The formats that the folder holds.
        chunks: The chunks in force by name.
        set_aside: What is in quarantine, by file.
        buried: The collections that the service no longer has.
        listing: What the last finished listing said of its completeness.
    """

    def __init__(self, commits: Iterable[Commit] = ()) -> None:
        self.number = 0
        self.current = Pass()
        self.formats: tuple[str, ...] = ()
        self.chunks: dict[str, Chunk] = {}
        self.set_aside: dict[str, SetAside] = {}
        self.buried: set[int] = set()
        self.listing: ListingEvidence | None = None
        for commit in commits:
            self.add(commit)

    @property
    def formats_held(self) -> set[str]:
        """The formats of the folder, and of every chunk: one that is damaged may name others."""
        return {*self.formats, *(name for chunk in self.chunks.values() for name in chunk.formats)}

    def add(self, commit: Commit) -> None:
        """Take up one commit."""
        if commit.whole:
            self.chunks, self.set_aside, self.buried = {}, {}, set()
        self.number, self.current, self.formats = commit.number, commit.current, commit.formats
        for name in commit.retired:
            self.chunks.pop(name, None)
        for file in commit.released:
            self.set_aside.pop(file, None)
        self.chunks |= {chunk.name: chunk for chunk in commit.added}
        self.set_aside |= {one.file: one for one in commit.set_aside}
        self.buried = (self.buried - set(commit.risen)) | set(commit.buried)
        self.listing = commit.listing or self.listing

    def whole(self, created_at: datetime) -> Commit:
        """Give the next commit, which repeats all of this."""
        return Commit(
            number=self.number + 1,
            whole=True,
            current=self.current,
            formats=self.formats,
            created_at=created_at,
            added=tuple(self.chunks.values()),
            set_aside=tuple(self.set_aside.values()),
            buried=tuple(sorted(self.buried)),
            listing=self.listing,
        )

    def parts(self) -> Iterator[Part]:
        """Yield every part in force."""
        for chunk in self.chunks.values():
            yield from chunk.parts
        for one in self.set_aside.values():
            yield from one.parts


class _Version(msgspec.Struct):
    format: int
    schema_version: int = 0
    sdk_version: str = "unknown"


def read_commits(store: Store) -> list[Commit]:
    """Give the commits of an export in their order, those before the last whole one left out.

    Raises:
        ExportError: One was written by another version of this package, or is damaged.
    """
    commits: list[Commit] = []
    for path in sorted(filter(is_commit, store.list(COMMITS)), key=_number, reverse=True):
        commits.append(_decoded(path, store.get(path)))
        if commits[-1].whole:
            break
    return commits[::-1]


def _number(path: str) -> int:
    return int(path.removeprefix(f"{COMMITS}/").removesuffix(".json"))


def _decoded(path: str, data: bytes) -> Commit:
    try:
        made = msgspec.json.decode(data, type=_Version)
        if (made.format, made.schema_version) == (COMMIT_FORMAT, SCHEMA_VERSION):
            return msgspec.json.decode(data, type=Commit)
    except BROKEN as error:
        raise ExportError(f"{path} is damaged: {error}; export into a new folder") from None
    raise ExportError(
        f"{path} was written by aegis_async {made.sdk_version}, with format {made.format} and schema "
        f"{made.schema_version}, and this version knows {COMMIT_FORMAT} and {SCHEMA_VERSION}: "
        "export into a new folder, or with the version that wrote it"
    )
