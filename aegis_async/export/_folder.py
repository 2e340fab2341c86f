"""The folder of an export: claimed once, changed by commits alone, and never cleared of what is not ours."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from aegis_async.errors import ExportError, InvalidArgumentError
from aegis_async.export._commits import Commit, State, read_commits
from aegis_async.export._layout import (
    COMMITS,
    FOLDERS,
    LOCK,
    commit_name,
    commit_prefix,
    is_commit,
    is_part,
    is_temporary_commit,
    is_temporary_part,
)
from aegis_async.export._refusals import explained
from aegis_async.export._shelf import Shelf
from aegis_async.export._store import Lease, LocalStore, Store

__all__ = ["Folder", "claim"]

_COMMITS_KEPT: Final = 64  # reading so many takes a moment; a nightly run with one batch adds two


class Folder:
    """The parts of an export, and the commits that bring them into force.

    Args:
        store: Where they are kept.
        lock: Keeps other exports out.

    Raises:
        ExportError: Its commits cannot be read.

    Attributes:
        state: What the commits add up to.
        shelf: Where the parts of the next commit go, under names that no other commit has.
    """

    def __init__(self, store: Store, lock: Lease) -> None:
        self.store = store
        self.lock = lock
        self.state = State(read_commits(store))
        self.shelf = self._new_shelf()

    def commit(self, **changes: Any) -> None:
        """Bring changes into force, as `Commit` names them, and remove the parts that they take away.

        Raises:
            ExportError: Another export committed first, or something could not be written or removed.
        """
        state = self.state
        kept = {"current": state.current, "formats": state.formats}
        commit = Commit(number=state.number + 1, created_at=datetime.now(UTC), **{**kept, **changes})
        gone = [part.path for name in commit.retired for part in state.chunks[name].parts]
        gone += [part.path for file in commit.released for part in state.set_aside[file].parts]
        self._put(commit)
        state.add(commit)
        self.shelf = self._new_shelf()
        for path in gone:
            self.store.delete(path)

    def compact(self) -> None:
        """Put one commit that says all in the place of many.

        Raises:
            ExportError: Something could not be written or removed.
        """
        earlier = [path for path in self.store.list(COMMITS) if is_commit(path)]
        if len(earlier) <= _COMMITS_KEPT:
            return
        commit = self.state.whole(datetime.now(UTC))
        self._put(commit)
        self.state.add(commit)
        for path in earlier:
            self.store.delete(path)

    def sweep(self) -> None:
        """Remove what no commit names: retired parts, and what a run that died left behind.

        Raises:
            ExportError: One cannot be removed.
        """
        live = {part.path for part in self.state.parts()}
        for path in (path for folder in FOLDERS for path in self.store.list(folder)):
            name = path.rpartition("/")[2]
            if path not in live and (is_part(name) or is_temporary_part(name)):
                self.store.delete(path)
        for path in filter(is_temporary_commit, self.store.list(COMMITS)):
            self.store.delete(path)

    def _new_shelf(self) -> Shelf:
        return Shelf(self.store, commit_prefix(self.state.number + 1))

    def _put(self, commit: Commit) -> None:
        path = commit_name(commit.number)
        if not self.store.put_if_absent(path, msgspec.json.encode(commit)):
            raise ExportError(f"{path} is there already: another export is writing to the same folder")


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
    store = LocalStore(out)
    lock = store.lease(LOCK)
    try:
        folder = Folder(store, lock)
        folder.sweep()
    except BaseException:
        lock.release()
        raise
    return folder


def _make(folder: Path) -> None:
    if folder.is_symlink():
        raise InvalidArgumentError(f"out must hold no links in place of its folders, and {folder} is one")
    folder.mkdir(exist_ok=True)
