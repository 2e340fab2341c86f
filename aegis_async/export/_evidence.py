"""What a listing says of its own completeness, as an export keeps it."""

import msgspec

__all__ = ["ListingEvidence"]


class ListingEvidence(msgspec.Struct, frozen=True, gc=False):
    """What the listing said of its own completeness.

    Attributes:
        pages: Pages that were read.
        items: Collections that were listed, each counted once.
        repeats: Collections that came again.
        total_first: The total that the first page stated; None when no page came.
        total_last: The total that the last page stated.
        unreadable: Items of the listing that show no id, so that nobody can say what they are.
        complete: Whether nothing that the account held is missing from the listing, as far as it can tell.
        reason: Why it is complete, or why not.
    """

    pages: int
    items: int
    repeats: int
    total_first: int | None
    total_last: int | None
    unreadable: int
    complete: bool
    reason: str
