"""What the system refuses, as one sentence that names the path and says what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from aegis_async.errors import ExportError

__all__ = ["explained"]

_HINTS: Final = {
    errno.ENOSPC: "the disk is full; make room and run the export again",
    errno.EDQUOT: "the disk quota is used up; make room and run the export again",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "the file system is read-only",
}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the system refuses into one sentence that names the path.

    Raises:
        ExportError: The system refused something.
    """
    try:
        yield
    except OSError as error:
        hint = _HINTS.get(error.errno or 0, error.strerror or str(error))
        raise ExportError(f"{path}: {hint}") from error
