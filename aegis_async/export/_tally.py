"""How far a run is, counted and told."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from aegis_async.export._report import Progress

__all__ = ["Got", "Tally"]

_AT_A_TIME: Final = 100  # skipping is quick, and telling may draw on a terminal


class Got(NamedTuple):
    """What is counted of a collection that was fetched.

    Attributes:
        sound: Whether it decodes.
        rows: The rows that it makes in all tables.
        size: Bytes of its body.
    """

    sound: bool
    rows: int
    size: int


class Tally:
    """Counts what a run does.

    Args:
        tell: Called with the progress after each collection that was fetched, and now and then.
    """

    def __init__(self, tell: Callable[[Progress], object] | None) -> None:
        self._tell = tell
        self.progress = self._told = Progress()

    def skip(self, total: int | None) -> None:
        """Count a collection that has not changed."""
        known = self.progress
        self.progress = replace(known, done=known.done + 1, total=total, unchanged=known.unchanged + 1)
        if self.progress.unchanged % _AT_A_TIME == 0:
            self._say()

    def take(self, got: Got | None, total: int | None) -> None:
        """Count a collection that was fetched, or not."""
        known, sound = self.progress, got is not None and got.sound
        self.progress = replace(known, done=known.done + 1, total=total, failed=known.failed + (not sound))
        self._add(got)

    def mend(self, got: Got) -> None:
        """Count a collection that failed at first and was fetched later."""
        known = self.progress
        self.progress = replace(known, failed=known.failed - got.sound)
        self._add(got)

    def catch_up(self) -> None:
        """Tell of the collections that were skipped since the last word."""
        if self.progress != self._told:
            self._say()

    def _add(self, got: Got | None) -> None:
        known = self.progress
        if got is not None:
            self.progress = replace(known, rows=known.rows + got.rows, bytes=known.bytes + got.size)
        self._say()

    def _say(self) -> None:
        self._told = self.progress
        if self._tell is not None:
            self._tell(self.progress)
