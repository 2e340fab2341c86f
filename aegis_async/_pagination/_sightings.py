"""Which ids came, and in which sweep each came last."""

from collections.abc import Container, Hashable, Iterable, Sequence

__all__ = ["Sightings"]


class Sightings:
    """The ids of all sweeps, about 100 bytes each.

    Args:
        known: Ids that came before the first sweep.
    """

    def __init__(self, known: Iterable[Hashable] = ()) -> None:
        self._latest: dict[Hashable, int] = dict.fromkeys(known, 1)
        self._before = 0
        self._common = 0
        self.sweep: int = 1
        self.distinct: int = len(self._latest)
        """Different ids in this sweep."""

    @property
    def known(self) -> Container[Hashable]:
        """The ids that came in any sweep."""
        return self._latest.keys()

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
        came = dict.fromkeys(keys, self.sweep)
        if len(came) == len(keys) and self._latest.keys().isdisjoint(came):
            self._latest.update(came)
            self.distinct += len(keys)
            return range(len(keys)), 0
        return self._see_each(keys)

    def _see_each(self, keys: Sequence[Hashable]) -> tuple[Sequence[int], int]:
        new: list[int] = []
        repeats = 0
        for position, key in enumerate(keys):
            latest = self._latest.get(key, 0)
            if latest == self.sweep:
                repeats += 1
                continue
            if latest == 0:
                new.append(position)
            self._common += latest == self.sweep - 1 > 0
            self._latest[key] = self.sweep
            self.distinct += 1
        return new, repeats
