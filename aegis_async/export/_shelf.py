"""Where parts are put before a commit names them, and what they are called."""

import hashlib
from typing import Final

from aegis_async.export._commits import Part
from aegis_async.export._layout import chunk_name, part_name
from aegis_async.export._store import Data, Store

__all__ = ["Shelf"]


class Shelf:
    """Puts parts into a store, under names that nobody else gives.

    Args:
        store: Where they are kept.
        prefix: What tells this shelf's names from those of others.
        after: The number before that of the first name.
    """

    def __init__(self, store: Store, prefix: str, after: int = 0) -> None:
        self._store: Final = store
        self._prefix: Final = prefix
        self._names = after

    def new_name(self) -> str:
        """Give a name for parts that no others have."""
        self._names += 1
        return chunk_name(self._prefix, self._names)

    def put(self, folder: str, chunk: str, extension: str, data: Data, *, rows: int) -> Part:
        """Write one part, which counts only from a commit on.

        Raises:
            ExportError: It could not be written.
        """
        view = memoryview(data)
        path = part_name(folder, chunk, extension)
        self._store.put(path, data)
        return Part(path, rows, view.nbytes, hashlib.sha256(view).hexdigest())
