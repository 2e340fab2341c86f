"""Whole exports of more and more evaluations, as ``benchmarks.export`` measures them."""

from collections.abc import Callable
from typing import Final, TypeAlias

from benchmarks.siblings import Table, table

__all__ = ["BESIDE_DLT", "SIZES", "Exports", "measure"]

Exports: TypeAlias = dict[str, Table]
"""The rounds of all contenders, by the number of evaluations."""

SIZES: Final = (1000, 10_000, 100_000, 1_000_000)
BESIDE_DLT: Final = 200_000  # a size that dlt manages in seconds
_EACH: Final = 1000  # evaluations of one collection
_PLAIN: Final = ("parquet", "command")


def measure(tell: Callable[[str], object], *, quick: bool) -> Exports:
    """Export each size once and the largest three times, and stand beside dlt."""
    largest = SIZES[1] if quick else SIZES[-1]
    wanted: dict[int, tuple[tuple[str, ...], int]] = {
        size: (_PLAIN, 3 if size == largest and not quick else 1) for size in SIZES if size <= largest
    }
    if not quick:
        wanted[BESIDE_DLT] = (*_PLAIN, "dlt"), 3
    exports: Exports = {}
    for size, (formats, rounds) in wanted.items():
        tell(f"export of {size} evaluations")
        exports[str(size)] = table("export", "--collections", size // _EACH, "--rounds", rounds, "--formats", *formats)
    return exports
