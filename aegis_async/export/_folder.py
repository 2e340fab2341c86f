"""The folder of an export: claimed once, written part by part, and never cleared of what is not ours."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from aegis_async._version import __version__
from aegis_async.errors import ExportError, InvalidArgumentError
from aegis_async.export._commits import Commit, Part, live_parts, read_commits
from aegis_async.export._layout import (
    COMMITS,
    FOLDERS,
    LOCK,
    commit_name,
    is_part,
    is_temporary_part,
    part_name,
)
from aegis_async.export._lock import Lock
from aegis_async.export._schema import SCHEMA_VERSION
from aegis_async.export._store import Data, LocalStore, Store, explained

__all__ = ["Folder", "claim"]


class Folder:
    """The parts of an export, those of earlier runs and those of this one.

    Args:
        store: Where they are kept.
        lock: Keeps other exports out.

    Raises:
        ExportError: Its commits cannot be read.
    """

    def __init__(self, store: Store, lock: Lock) -> None:
        self.store = store
        self.lock = lock
        commits = read_commits(store)
        self.number = commits[-1].number + 1 if commits else 1
        self._live = live_parts(commits)

    @property
    def is_new(self) -> bool:
        """Whether no earlier run left anything."""
        return not self._live

    def put(self, folder: str, number: int, extension: str, data: Data, *, rows: int) -> Part:
        """Write one part, which counts only from the commit on.

        Raises:
            ExportError: It could not be written.
        """
        view = memoryview(data)
        path = part_name(folder, self.number, number, extension)
        self.store.put(path, data)
        return Part(path, rows, view.nbytes, hashlib.sha256(view).hexdigest())

    def commit(self, status: str, parts: Iterable[Part]) -> None:
        """Put the parts of this run in the place of all earlier ones.

        Raises:
            ExportError: Another export committed first, or the commit could not be written.
        """
        commit = Commit(
            number=self.number,
            status=status,
            schema_version=SCHEMA_VERSION,
            sdk_version=__version__,
            created_at=datetime.now(UTC),
            parts=tuple(parts),
            retired=tuple(self._live),
        )
        path = commit_name(self.number)
        if not self.store.put_if_absent(path, msgspec.json.encode(commit)):
            raise ExportError(f"{path} is there already: another export is writing to the same folder")
        self._live = live_parts([commit])

    def sweep(self) -> None:
        """Remove the parts that no commit names: retired ones, and what a run that died left behind.

        Raises:
            ExportError: One cannot be removed.
        """
        for path in (path for folder in FOLDERS for path in self.store.list(folder)):
            name = path.rpartition("/")[2]
            if path not in self._live and (is_part(name) or is_temporary_part(name)):
                self.store.delete(path)


def claim(out: Path) -> Folder:
    """Make ``out`` the folder of an export, or take up the export that is there.

    Raises:
        InvalidArgumentError: ``out`` is no folder, holds something else, or one of its folders is a link.
        ExportError: It cannot be made, read or written to, or another export is writing to it.
    """
    with explained(out):
        if out.exists() and not out.is_dir():
            raise InvalidArgumentError(f"out must be a folder, and {out} is none")
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()) and not (out / COMMITS).is_dir():
            raise InvalidArgumentError(
                f"out must be a new or empty folder or an earlier export, and {out} holds other files"
            )
        # The commits' folder is the claim: it comes first, so that a run that dies here can be taken up.
        for name in (COMMITS, *FOLDERS):
            _make(out / name)
    folder = Folder(LocalStore(out), Lock(out / LOCK))
    folder.sweep()
    return folder


def _make(folder: Path) -> None:
    if folder.is_symlink():
        raise InvalidArgumentError(f"out must hold no links in place of its folders, and {folder} is one")
    folder.mkdir(exist_ok=True)
