"""What a listing says of its own completeness, as an export keeps it.

It has the fields of ``ListingReport`` again: they are a format of files here, which must not change with that class.
"""

import msgspec

from aegis_async._completeness import Evidence

__all__ = ["ListingEvidence"]


class ListingEvidence(msgspec.Struct, frozen=True, gc=False):
    """What the listing said of its own completeness.

    Attributes:
        pages: Pages that were read, those of every sweep.
        items: Collections that were listed, each counted once.
        repeats: Collections that came again in the first sweep.
        total_first: The total that the first page stated; None when no page came.
        total_last: The total that the last page stated.
        sweeps: How often the listing was walked through.
        evidence: What that proves, as in ``ListingReport``.
        unreadable: Items of the listing that show no id, so that nobody can say what they are.
        complete: Whether it is proven that the listing lacks nothing, and every item shows its id.
        reason: Why it is complete, or why not.
    """

    pages: int
    items: int
    repeats: int
    total_first: int | None
    total_last: int | None
    sweeps: int
    evidence: Evidence
    unreadable: int
    complete: bool
    reason: str
