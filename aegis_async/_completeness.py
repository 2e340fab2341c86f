"""What a listing can say of its own completeness."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Evidence", "ListingReport"]

Evidence: TypeAlias = Literal["none", "counts", "snapshot", "agreed"]


@dataclass(frozen=True, slots=True)
class ListingReport:
    """What one iteration of a listing read, and what that proves.

    Attributes:
        pages: Pages read, those of every sweep.
        items: Items given, each id once.
        repeats: Items not given, because their id came before in the first sweep.
        total_first: The service's own count on the first page that was read; None before it.
        total_last: The same on the latest page.
        sweeps: How often the listing was walked through, the first walk counted.
        evidence: ``"none"``; ``"counts"``: one sweep, whose totals were steady and equal to the different ids that
            came, which a deletion and an insertion can bring about as well; ``"snapshot"``: one page held
            everything; ``"agreed"``: two sweeps in a row gave the same ids, as many as the service counted.
        complete: Whether the evidence is ``"snapshot"`` or ``"agreed"``, and the listing was read from page 1 and
            without ``max_pages``.
        reason: Why it is complete, or why it is not known to be, in words.
    """

    pages: int
    items: int
    repeats: int
    total_first: int | None
    total_last: int | None
    sweeps: int
    evidence: Evidence
    complete: bool
    reason: str
