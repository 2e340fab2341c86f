"""How far a run is, counted and told."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from aegis_async._resources.data_collections import CollectionBody
from aegis_async.export._report import Progress
from aegis_async.export._rows import count

__all__ = ["Tally"]

_TOLD: Final = 100  # skipping is quick, and telling may draw on a terminal


class Tally:
    """Counts what a run does.

    Args:
        tell: Called with the progress after each collection that was fetched, and now and then.
    """

    def __init__(self, tell: Callable[[Progress], object] | None) -> None:
        self._tell = tell
        self.progress = Progress()

    def skip(self, total: int | None) -> None:
        """Count a collection that has not changed."""
        known = self.progress
        self.progress = replace(known, done=known.done + 1, total=total, unchanged=known.unchanged + 1)
        if self.progress.unchanged % _TOLD == 0:
            self._say()

    def take(self, body: CollectionBody | None, total: int | None) -> None:
        """Count a collection that was fetched, or not."""
        known, sound = self.progress, body is not None and body.value is not None
        self.progress = replace(known, done=known.done + 1, total=total, failed=known.failed + (not sound))
        self._add(body)

    def mend(self, body: CollectionBody) -> None:
        """Count a collection that failed at first and was fetched later."""
        known = self.progress
        self.progress = replace(known, failed=known.failed - (body.value is not None))
        self._add(body)

    def _add(self, body: CollectionBody | None) -> None:
        known = self.progress
        if body is not None:
            rows = 0 if body.value is None else count(body.value)
            self.progress = replace(known, rows=known.rows + rows, bytes=known.bytes + len(body.body))
        self._say()

    def _say(self) -> None:
        if self._tell is not None:
            self._tell(self.progress)
