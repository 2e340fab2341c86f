"""How large the next page may be, so that decoding it never keeps the loop for long."""

from typing import Final

from aegis_async._pagination._listing import Place

__all__ = ["SMALLEST", "Sizes"]

SMALLEST: Final = 25  # the first item is there soon, and 25 · 2^8 = 6400 is the last doubling that the service takes
_LARGEST: Final = 10_000  # "page_size — integer, default 10, between 1 and 10000"
# Twice the first is still well under the 20 ms for which the loop may be kept, and between the two nothing swings.
_QUICK: Final = 0.005
_SLOW: Final = 0.015


class Sizes:
    """The page size of one walk; it changes only where a page of the other size begins as well.

    Args:
        size: Items on a page until something is known.
    """

    def __init__(self, size: int) -> None:
        self._wanted = size

    def took(self, size: int, seconds: float) -> None:
        """Learn for how long decoding a page of ``size`` kept the loop."""
        if seconds <= _QUICK and 2 * size <= _LARGEST:
            self._wanted = max(self._wanted, 2 * size)
        elif seconds > _SLOW and size > SMALLEST and size % 2 == 0:
            self._wanted = min(self._wanted, size // 2)

    def fit(self, place: Place) -> Place:
        """Give the page to ask for where ``place`` begins.

        Page p of n begins where page (p + 1) / 2 of 2n does, if p is odd, and where page 2p - 1 of n / 2 does.
        """
        number, size = place
        if size < self._wanted and number % 2:
            return Place((number + 1) // 2, 2 * size)
        if size > self._wanted:
            return Place(2 * number - 1, size // 2)
        return place
