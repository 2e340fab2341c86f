"""An object store as the place of an export: whole objects, a put that another's object refuses, and no rename."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from aegis_async.errors import ExportError, InvalidArgumentError
from aegis_async.export._lease import ObjectLease
from aegis_async.export._refusals import code_of, told
from aegis_async.export._store import Data, Lease

__all__ = ["ObjectStore"]

_TRIES: Final = 3
_COMMAND: Final = 'pip install "aegis-async[s3]"'
_S3: Final = frozenset({"s3", "s3a"})  # two names of one kind
# A server that is gone is found out within a minute or so.
_S3_OPTIONS: Final[dict[str, Any]] = {
    "config_kwargs": {
        "connect_timeout": 5,
        "read_timeout": 20,
        "retries": {"mode": "standard", "total_max_attempts": 3},
    }
}


class ObjectStore:
    """Keeps objects under a prefix of an object store, whichever fsspec knows.

    An object appears whole or not at all, as such stores have it. What lies in it comes as its server has it at that
    moment: nothing is kept in between.

    Args:
        url: The prefix, as ``s3://bucket/prefix``. Credentials and the server's address come from the environment.

    Raises:
        InvalidArgumentError: It is a URL of no known kind, or names no bucket.
        ExportError: A package is not installed; the text has the command to run.
    """

    def __init__(self, url: str) -> None:
        kind, mark, place = url.partition("://")
        self._url = kind + mark + place.rstrip("/")
        self._files, self._root = _opened(self._url)

    def __reduce__(self) -> tuple[type["ObjectStore"], tuple[str]]:
        return ObjectStore, (self._url,)

    def claim(self, folders: Sequence[str]) -> None:
        """Refuse a prefix that holds other things; the lease, in the first of the folders, marks it as ours.

        Raises:
            InvalidArgumentError: It holds something else.
            ExportError: It cannot be listed.
        """
        if not self.has(folders[0]) and self._entries(""):
            raise InvalidArgumentError(
                f"out must be a new or empty prefix or an earlier export, and {self._url} holds other objects"
            )

    def has(self, folder: str) -> bool:
        """Tell whether there is an object in such a folder.

        Raises:
            ExportError: It cannot be listed.
        """
        return bool(self._entries(folder))

    def put(self, path: str, data: Data) -> None:
        """Store an object, in place of an earlier one.

        Raises:
            ExportError: The store refused it, or does not answer.
        """
        with self._told(path):
            self._files.pipe_file(self._place(path), _whole(data))

    def put_if_absent(self, path: str, data: Data) -> bool:
        """Store an object unless there is one; tell whether it was stored.

        One that is there with the very same bytes counts as stored: it is of a request whose answer was lost.

        Raises:
            ExportError: The store refused it, or does not answer.
        """
        whole = _whole(data)
        with self._told(path):
            return self._created(path, whole) or self._files.cat_file(self._place(path)) == whole

    def get(self, path: str) -> bytes:
        """Give an object.

        Raises:
            ExportError: It is not there, or cannot be read.
        """
        with self._told(path):
            data: bytes = self._files.cat_file(self._place(path))
        return data

    def list(self, folder: str) -> list[str]:
        """Give the paths of the objects in a folder, sorted.

        Raises:
            ExportError: It cannot be listed.
        """
        return sorted(f"{folder}/{name}" for name, kind in self._entries(folder).items() if kind == "file")

    def delete(self, path: str) -> None:
        """Remove an object; one that is gone already is no error.

        Raises:
            ExportError: The store refused it, or does not answer.
        """
        with self._told(path):
            try:
                self._files.rm_file(self._place(path))
            except FileNotFoundError as error:
                if code_of(error) is not None:  # of the bucket
                    raise

    def lease(self, path: str) -> Lease:
        """Take the lease of a name, until its holder releases it, or has not renewed it for a while.

        Raises:
            ExportError: Another export holds it, or it cannot be written.
        """
        return ObjectLease(self, path)

    def _created(self, path: str, whole: bytes) -> bool:
        for tries_left in reversed(range(_TRIES)):
            try:
                self._files.pipe_file(self._place(path), whole, mode="create")
            except Exception as error:
                if isinstance(error, FileExistsError) or code_of(error) == "PreconditionFailed":
                    return False
                # Somebody wrote to the same name at the same moment: S3 wants it sent again to say who was first.
                if code_of(error) != "ConditionalRequestConflict" or not tries_left:
                    raise
            else:
                return True
        raise AssertionError("the last try returns or raises")

    def _entries(self, folder: str) -> dict[str, str]:
        """Give what is right below a folder, by name, and whether it is a file or a directory."""
        place = self._place(folder)
        with self._told(folder):
            try:
                found = self._files.ls(place, detail=True)
            except FileNotFoundError as error:
                if code_of(error) is not None:  # the server's answer: it is the bucket that is missing
                    raise
                return {}
        # A prefix may be an object too, as consoles make one for an empty folder.
        below = ((entry["name"].strip("/"), entry["type"]) for entry in found)
        return {name.removeprefix(f"{place}/"): kind for name, kind in below if name.startswith(f"{place}/")}

    def _place(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root

    @contextmanager
    def _told(self, path: str) -> Iterator[None]:
        with told(f"{self._url}/{path}" if path else self._url):
            yield


def _whole(data: Data) -> bytes:
    return data if isinstance(data, bytes) else bytes(memoryview(data))


def _opened(url: str) -> tuple[Any, str]:
    kind, _, place = url.partition("://")
    if not place:
        raise InvalidArgumentError(f"out must name a bucket, as {kind}://bucket/prefix")
    try:
        import fsspec  # noqa: PLC0415 - an extra

        # It keeps no listings: another export may have changed what is there.
        files, root = fsspec.core.url_to_fs(url, use_listings_cache=False, **(_S3_OPTIONS if kind in _S3 else {}))
    except ImportError as error:
        needs = _COMMAND if kind in _S3 else f'{_COMMAND}, and the package that fsspec needs for "{kind}"'
        raise ExportError(f"an export to {kind}:// needs a package that is not installed: {needs}") from error
    except ValueError:
        raise InvalidArgumentError(
            f"out must be a folder or a URL that fsspec knows, as s3://bucket/prefix, and {kind}:// is none"
        ) from None
    files.retries = 1  # s3fs would repeat what botocore has given up
    return files, root.strip("/")
