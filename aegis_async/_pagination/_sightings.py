"""Which ids came, and in which sweep each came last."""

from collections.abc import Collection, Hashable, Iterable, Sequence
from typing import Final

__all__ = ["Sightings"]

_FULL: Final = 300_000  # ids: a dict of twice as many takes 60 ms and more to grow, and the loop waits for it


class Sightings:
    """The ids of all sweeps, about 100 bytes each; ``in`` tells whether one came in any of them.

    Args:
        known: Ids that came before the first sweep.
    """

    def __init__(self, known: Iterable[Hashable] = ()) -> None:
        self._parts: list[dict[Hashable, int]] = [dict.fromkeys(known, 1)]
        self._before = 0
        self._common = 0
        self.sweep: int = 1
        self.distinct: int = len(self._parts[0])
        """Different ids in this sweep."""

    def __contains__(self, key: object) -> bool:
        return self._part_of(key) is not None

    @property
    def agreed(self) -> bool:
        """Whether this sweep gave the same ids as the one before it."""
        return self.sweep > 1 and self.distinct == self._common == self._before

    def begin_sweep(self) -> None:
        """Begin the next sweep."""
        self.sweep += 1
        self._before, self._common, self.distinct = self.distinct, 0, 0

    def see(self, keys: Sequence[Hashable]) -> tuple[Sequence[int], int]:
        """Note the ids of a page.

        Returns:
            The positions of those that never came before, and how many came before in this sweep.
        """
        if len(self._parts[-1]) >= _FULL:
            self._parts.append({})
        came = dict.fromkeys(keys, self.sweep)
        if len(came) == len(keys) and self._are_new(came):
            self._parts[-1].update(came)
            self.distinct += len(keys)
            return range(len(keys)), 0
        return self._see_each(keys)

    def _are_new(self, keys: Collection[Hashable]) -> bool:
        for part in self._parts:  # noqa: SIM110 - a generator would cost as much as the look itself
            if not part.keys().isdisjoint(keys):
                return False
        return True

    def _see_each(self, keys: Sequence[Hashable]) -> tuple[Sequence[int], int]:
        new: list[int] = []
        repeats = 0
        for position, key in enumerate(keys):
            part = self._part_of(key)
            latest = 0 if part is None else part[key]
            if latest == self.sweep:
                repeats += 1
                continue
            if part is None:
                new.append(position)
                part = self._parts[-1]
            self._common += latest == self.sweep - 1 > 0
            part[key] = self.sweep
            self.distinct += 1
        return new, repeats

    def _part_of(self, key: object) -> dict[Hashable, int] | None:
        for part in self._parts:
            if key in part:
                return part
        return None
