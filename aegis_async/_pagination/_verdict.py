"""From what was seen to what it proves: plain values in, evidence and a reason out."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from aegis_async._completeness import Evidence

__all__ = ["PROOFS", "Facts", "evidence", "reason", "unequal"]

PROOFS: Final[frozenset[Evidence]] = frozenset({"snapshot", "agreed"})


class Facts(msgspec.Struct, frozen=True):
    """What the sweeps showed.

    Attributes:
        ended: Whether the last sweep came to its end.
        part: What part of the listing was read, in words; empty when it is the whole.
        begins_at_start: Whether nothing stands before the first item.
        has_key: Whether items can be told apart.
        sweeps: Sweeps begun.
        pages: Pages of the last sweep.
        distinct: Different ids of the last sweep; items where there is no key.
        total: What its first page stated.
        is_steady: Whether each of its pages stated the same.
        agreed: Whether it gave the same ids as the sweep before.
        sign: The first sign of movement in any sweep; empty when there was none.
    """

    ended: bool
    part: str
    begins_at_start: bool
    has_key: bool
    sweeps: int
    pages: int
    distinct: int
    total: int
    is_steady: bool
    agreed: bool
    sign: str

    @property
    def adds_up(self) -> bool:
        """Whether as many different items came as there were when the sweep began."""
        return self.begins_at_start and self.distinct == self.total


def evidence(facts: Facts) -> Evidence:
    """Give the strongest evidence that there is."""
    if not facts.ended:
        return "none"
    # Ids that came in the sweep before were all there when this one began. If they are as many as were counted then,
    # they are what was there then: no deletion and no insertion could hide a loss.
    if facts.agreed and (facts.adds_up or facts.part):
        return "agreed"
    if facts.pages == 1 and facts.adds_up:
        return "snapshot"
    if facts.sweeps == 1 and facts.has_key and facts.is_steady and facts.adds_up:
        return "counts"
    return "none"


def reason(facts: Facts) -> str:
    """Give the reason why the listing is complete, or why it is not known to be."""
    if not facts.ended:
        return "it was not read to its end" + (f"; {_moved(facts)}" if facts.sign else "")
    found = _REASONS[evidence(facts)](facts)
    return ", but ".join(filter(None, (found, facts.part)))


def unequal(facts: Facts) -> str:
    """Say that the sum is not right."""
    return f"{facts.distinct} items came where the service counts {facts.total}"


def _unproven(facts: Facts) -> str:
    if facts.sweeps > 1:
        return f"no two of {facts.sweeps} sweeps in a row gave the same ids, as many as the service counted"
    if facts.sign:
        return _moved(facts)
    return "" if facts.part else "it has no key to tell its items apart, so a repeat can hide a loss"


def _moved(facts: Facts) -> str:
    return f"it moved while it was read: {facts.sign}"


def _counted(facts: Facts) -> str:
    return (
        f"one sweep gave {facts.distinct} items, as many as each page counted, but a deletion and an insertion "
        f"between two pages can hide each other"
    )


_REASONS: Final[Mapping[Evidence, Callable[[Facts], str]]] = {
    "none": _unproven,
    "counts": _counted,
    "snapshot": lambda _: "one page held everything",
    "agreed": lambda facts: f"sweeps {facts.sweeps - 1} and {facts.sweeps} gave the same {facts.distinct} ids",
}
