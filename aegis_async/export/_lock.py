"""One export at a time in a folder: a lock that the system takes back when its holder dies."""

import errno
import os
import sys
import weakref
from pathlib import Path
from typing import Final

from aegis_async.errors import ExportError
from aegis_async.export._refusals import explained

__all__ = ["Lock"]

_TAKEN: Final = frozenset({errno.EAGAIN, errno.EACCES})


class Lock:
    """Holds a file locked until it is released, or until nothing refers to it, or until the process ends.

    Args:
        file: The file, which is made where it is missing and stays.

    Raises:
        ExportError: Another export holds it, or it cannot be made.

    Attributes:
        term: Always 0: it cannot be lost.
    """

    term = 0

    def __init__(self, file: Path) -> None:
        with explained(file):
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
            self.release = weakref.finalize(self, os.close, descriptor)
            if not _locked(descriptor):
                self.release()
                raise ExportError(f"{file} is held by another export into the same folder; wait for its end")

    def check(self) -> None:
        """Do nothing: the system keeps it for as long as the process lives."""


def _locked(descriptor: int) -> bool:
    if sys.platform == "win32":  # it has no such lock: there the commit alone decides
        return True
    import fcntl  # noqa: PLC0415 - Windows has no such module

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        raise
    return True
