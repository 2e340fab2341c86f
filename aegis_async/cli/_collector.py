"""The garbage collector of a process of its own: it may look less often, where a library must not decide that."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["collected_rarely"]

_THRESHOLDS: Final = (100_000, 20, 50)


@contextmanager
def collected_rarely() -> Iterator[None]:
    """Look for cycles less often while this lasts: rows form none, and looking takes a seventh of an export's time."""
    before = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
