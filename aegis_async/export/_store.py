"""Where files are kept: whole objects that appear at once or not at all.

Every part and commit of an export goes through the calls of a `Store`, so that an object store can take the local
folder's place.
"""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from aegis_async.errors import InvalidArgumentError
from aegis_async.export._layout import temporary_name
from aegis_async.export._lock import Lock
from aegis_async.export._refusals import explained

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Data", "Lease", "LocalStore", "Store", "sync_folder"]

Data: TypeAlias = "bytes | bytearray | memoryview | pa.Buffer"

# What file systems without hard links answer.
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


class Lease(Protocol):
    """A name that one holder has at a time.

    Attributes:
        term: Tells the files of one holder from those of an earlier one that does not know yet that it lost the
            name; always 0 where that cannot be.
    """

    term: int

    def check(self) -> None:
        """Find out whether it is still held, which an error says when it is not."""

    def release(self) -> object:
        """Let others have it; it is released anyway when its holder dies."""


class Store(Protocol):
    """Keeps whole objects under paths such as ``runs/000001-0001.parquet``; it can be pickled."""

    def claim(self, folders: Sequence[str]) -> None:
        """Make the folders, or find them; the first marks the place as ours, and one with other things is refused."""

    def has(self, folder: str) -> bool:
        """Tell whether there is such a folder."""

    def put(self, path: str, data: Data) -> None:
        """Store an object, in place of an earlier one."""

    def put_if_absent(self, path: str, data: Data) -> bool:
        """Store an object unless there is one; tell whether it was stored."""

    def get(self, path: str) -> bytes:
        """Give an object."""

    def list(self, folder: str) -> list[str]:
        """Give the paths of the objects in a folder, sorted; unfinished ones are among them."""

    def delete(self, path: str) -> None:
        """Remove an object; one that is gone already is no error."""

    def lease(self, path: str) -> Lease:
        """Give the lease of a name, which an error says to be held when it is."""


class LocalStore:
    """Keeps objects as files of a local folder.

    A file is written under a hidden name, flushed to the disk, and then renamed, so that no reader and no
    crash ever meets half of one. Links are neither followed nor listed.

    Args:
        root: The folder, which exists once it is claimed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def __reduce__(self) -> tuple[type["LocalStore"], tuple[Path]]:
        return LocalStore, (self._root.absolute(),)  # another process may stand in another folder

    def claim(self, folders: Sequence[str]) -> None:
        """Make the folders, or find them; the first marks the place as ours, and one with other things is refused.

        Raises:
            InvalidArgumentError: It is no folder, holds something else, or one of its folders is a link.
            ExportError: It cannot be made or read.
        """
        out = self._root
        with explained(out):
            if out.exists() and not out.is_dir():
                raise InvalidArgumentError(f"out must be a folder, and {out} is none")
            out.mkdir(parents=True, exist_ok=True)
            if any(out.iterdir()) and not self.has(folders[0]):
                raise InvalidArgumentError(
                    f"out must be a new or empty folder or an earlier export, and {out} holds other files"
                )
            # The mark comes first, so that a run that dies here can be taken up.
            for name in folders:
                _make(out / name)

    def has(self, folder: str) -> bool:
        """Tell whether there is such a folder."""
        return (self._root / folder).is_dir()

    def put(self, path: str, data: Data) -> None:
        """Store an object, in place of an earlier one.

        Raises:
            ExportError: The disk is full, or the folder cannot be written to.
        """
        with self._written(path, data) as (temporary, final):
            temporary.replace(final)

    def put_if_absent(self, path: str, data: Data) -> bool:
        """Store an object unless there is one; tell whether it was stored.

        Raises:
            ExportError: The disk is full, or the folder cannot be written to.
        """
        with self._written(path, data) as (temporary, final):
            try:
                _link(temporary, final)
            except FileExistsError:
                return False
        return True

    def get(self, path: str) -> bytes:
        """Give an object.

        Raises:
            ExportError: It cannot be read.
        """
        file = self._root / path
        with explained(file):
            return file.read_bytes()

    def list(self, folder: str) -> list[str]:
        """Give the paths of the objects in a folder, sorted; unfinished ones are among them.

        Raises:
            ExportError: The folder cannot be read.
        """
        place = self._root / folder
        with explained(place), os.scandir(place) as entries:
            return sorted(f"{folder}/{e.name}" for e in entries if e.is_file(follow_symlinks=False))

    def delete(self, path: str) -> None:
        """Remove an object; one that is gone already is no error.

        Raises:
            ExportError: It cannot be removed.
        """
        file = self._root / path
        with explained(file):
            file.unlink(missing_ok=True)

    def lease(self, path: str) -> Lease:
        """Lock a file, until its holder releases it or dies.

        Raises:
            ExportError: Another process holds it, or it cannot be made.
        """
        return Lock(self._root / path)

    @contextmanager
    def _written(self, path: str, data: Data) -> Iterator[tuple[Path, Path]]:
        """Give the temporary file with the data on the disk, and the name it is to have."""
        final = self._root / path
        temporary = final.with_name(temporary_name(final.name))
        with explained(final):
            temporary.unlink(missing_ok=True)  # of a run that died
            try:
                _write(temporary, data)
                yield temporary, final
                # The name must be on the disk before a commit speaks of it.
                sync_folder(final.parent)
            finally:
                with suppress(OSError):  # what ended the write is the error to hear of
                    temporary.unlink(missing_ok=True)


def _make(folder: Path) -> None:
    if folder.is_symlink():
        raise InvalidArgumentError(f"out must hold no links in place of its folders, and {folder} is one")
    folder.mkdir(exist_ok=True)


def _write(file: Path, data: Data) -> None:
    with file.open("xb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _link(temporary: Path, final: Path) -> None:
    """Give the file its name unless that is taken, which a rename would not notice."""
    try:
        final.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if final.exists():
            raise FileExistsError(errno.EEXIST, "exists", str(final)) from None
        temporary.replace(final)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk."""
    flags = getattr(os, "O_DIRECTORY", None)
    if flags is None:  # Windows keeps names by itself and cannot open a folder
        return
    descriptor = os.open(folder, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
