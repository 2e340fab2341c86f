"""The folder of an export: claimed once, changed by commits alone, and never cleared of what is not ours."""

from collections.abc import Iterable
from datetime import UTC, datetime
from os import PathLike
from typing import Any, Final

import msgspec

from aegis_async.errors import ExportError
from aegis_async.export._commits import Commit, State, read_commits
from aegis_async.export._layout import (
    COMMITS,
    FOLDERS,
    LOCK,
    REPORT,
    commit_name,
    commit_prefix,
    is_commit,
    is_part,
    is_temporary_commit,
    is_temporary_part,
)
from aegis_async.export._shelf import Shelf
from aegis_async.export._store import Lease, Store
from aegis_async.export._stores import store_at

__all__ = ["Folder", "claim"]

_COMMITS_KEPT: Final = 64  # reading so many takes a moment; a nightly run with one batch adds two
_TERM: Final = 1_000_000  # chunks that one commit does not reach


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
        self._remove(gone)

    def tell(self, report: bytes) -> None:
        """Put the report beside the parts.

        Raises:
            ExportError: Another export has the folder by now, whose report stays; or it could not be written.
        """
        self.lock.check()
        self.store.put(REPORT, report)

    def compact(self) -> None:
        """Put one commit that says all in the place of many.

        Raises:
            ExportError: Something could not be written or removed.
        """
        earlier = [path for path in self.store.list(COMMITS) if is_commit(path)]
        if len(earlier) <= _COMMITS_KEPT:
            return
        self._put(self.state.whole(datetime.now(UTC)))
        self._remove(earlier)

    def sweep(self) -> None:
        """Remove what no commit names: retired parts, and what a run that died left behind.

        Raises:
            ExportError: One cannot be removed.
        """
        live = {part.path for part in self.state.parts()}
        for folder in FOLDERS:
            self._remove(path for path in self.store.list(folder) if path not in live and _is_ours(path))
        self._remove(filter(is_temporary_commit, self.store.list(COMMITS)))

    def _new_shelf(self) -> Shelf:
        # Nor may an earlier holder of the lock, which was held up, write to them.
        return Shelf(self.store, commit_prefix(self.state.number + 1), after=self.lock.term * _TERM)

    def _put(self, commit: Commit) -> None:
        self.lock.check()
        path = commit_name(commit.number)
        if not self.store.put_if_absent(path, msgspec.json.encode(commit)):
            raise ExportError(f"{path} is there already: another export is writing to the same folder")
        self.state.add(commit)
        self.shelf = self._new_shelf()

    def _remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.lock.check()  # what an export that lost the lock takes for garbage may be another one's
            self.store.delete(path)


def _is_ours(path: str) -> bool:
    name = path.rpartition("/")[2]
    return is_part(name) or is_temporary_part(name)


def claim(out: str | PathLike[str]) -> Folder:
    """Make ``out`` the place of an export, or take up the export that is there.

    Raises:
        InvalidArgumentError: ``out`` is no folder, holds something else, or one of its folders is a link; or it is a
            URL that no export can go to.
        ExportError: It cannot be made, read or written to, or another export is writing to it.
    """
    store = store_at(out)
    store.claim((COMMITS, *FOLDERS))
    lock = store.lease(LOCK)
    try:
        folder = Folder(store, lock)
        folder.sweep()
    except BaseException:
        lock.release()
        raise
    return folder
