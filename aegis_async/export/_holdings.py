"""What a sink holds of each collection, and whether that is still what the listing shows."""

from collections.abc import Iterable, Mapping

import msgspec

__all__ = ["Holdings", "Mark", "Pass"]


class Mark(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How one collection was when it was fetched.

    Attributes:
        id: The collection's id.
        fingerprint: The sum of its summary's bytes, taken before the fetch; empty when it was not listed.
        number: The pass that fetched it.
        settled: Whether all of its runs had ended.
    """

    id: int
    fingerprint: str
    number: int
    settled: bool


class Pass(msgspec.Struct, frozen=True, gc=False):
    """One way through an account, which several runs may share when they are interrupted.

    Attributes:
        number: Its place in the order of passes, from 1.
        intent: What is gone through, as ``"listing"``; a run that wants the same takes up an unfinished pass.
        finished: Whether it came to its end.
    """

    number: int = 0
    intent: str = ""
    finished: bool = True

    def next(self, intent: str) -> "Pass":
        """Give the pass that a run with this intent belongs to."""
        taken_up = self.intent == intent and not self.finished
        return Pass(self.number if taken_up else self.number + 1, intent, finished=False)


class Holdings:
    """The marks of the collections that a sink holds.

    Args:
        marks: The mark of each.
        buried: Those that the service no longer has.
        current: The pass under way.
    """

    def __init__(self, marks: Iterable[Mark], buried: Iterable[int], current: Pass) -> None:
        self._marks: dict[int, Mark] = {mark.id: mark for mark in marks}
        self._buried = set(buried)
        self.current = current

    def lacks(self, id_: int, fingerprint: str, *, anew: bool) -> bool:
        """Tell whether a collection must be fetched: it is not held, has changed, or may have changed unseen.

        Args:
            id_: Its id.
            fingerprint: That of its summary now; empty where nothing is known of it.
            anew: Whether only what this pass fetched counts.
        """
        mark = self._marks.get(id_)
        if mark is None or id_ in self._buried or mark.fingerprint != fingerprint:
            return True
        # The summary says nothing of the evaluations that a run under way goes on to get.
        return mark.number != self.current.number and (anew or not mark.settled)

    def of_this_pass(self, marks: Iterable[Mark]) -> list[Mark]:
        """Give marks with the number of the pass under way."""
        return [msgspec.structs.replace(mark, number=self.current.number) for mark in marks]

    def take(self, marks: Iterable[Mark]) -> None:
        """Note what is held from now on."""
        for mark in marks:
            self._marks[mark.id] = mark
            self._buried.discard(mark.id)

    def bury(self, ids: Iterable[int], *, drop: bool) -> None:
        """Note what the service no longer has, and that its rows are gone if they are dropped."""
        for id_ in ids:
            self._buried.add(id_)
            if drop:
                self._marks.pop(id_, None)

    @property
    def marks(self) -> Mapping[int, Mark]:
        """The mark of each collection that is held."""
        return self._marks

    @property
    def living(self) -> set[int]:
        """The ids that are held and not buried."""
        return self._marks.keys() - self._buried

    @property
    def buried(self) -> frozenset[int]:
        """The ids that the service no longer has."""
        return frozenset(self._buried)
