"""Draws how long a ``get`` takes alone and beside a fan-out, from what ``python -m benchmarks.interactive`` measured.

``python -m benchmarks.interactive --json FILE`` takes a minute; after it ``python -m docs.pictures.interactive FILE``
writes ``docs/pictures/interactive.svg``. matplotlib is in the dependency group ``pictures``.
"""

import sys
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.interactive import Felt, p99

__all__ = ["draw"]

_STEPS: Final = 400  # of each curve
_WIDTH: Final = 60  # milliseconds


def draw(felt: Felt, file: Path) -> None:
    """Draw the share of the calls that took longer than so many milliseconds, and where one in a hundred did."""
    import matplotlib as mpl  # noqa: PLC0415 - only in the group for pictures

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "aegis_async", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot as plt  # noqa: PLC0415 - likewise

    figure, axes = plt.subplots(figsize=(6.4, 3.4))
    for name, colour, seconds in (("alone", "C0", felt.alone), ("beside get_many", "C1", felt.beside)):
        tail = 1e3 * p99(seconds)
        axes.plot(*_shares(seconds), color=colour, linewidth=1.3, label=f"{name}: 99 % within {tail:.1f} ms")
        axes.plot([tail], [1], "o", color=colour, markersize=4)
    axes.axvline(
        2e3 * p99(felt.alone), color="gray", linewidth=0.8, linestyle="--", label="twice that of alone: the bound"
    )
    axes.axhline(1, color="gray", linewidth=0.6, linestyle=":")
    axes.set_yscale("log")
    axes.set_yticks([100, 10, 1, 0.1], ["100 %", "10 %", "1 %", "0.1 %"])
    axes.set_xlim(18, _WIDTH)
    axes.set_xlabel("milliseconds of one get, of which the server waits 20")
    axes.set_ylabel("calls that take longer")
    axes.legend(loc="upper right", facecolor="white", edgecolor="none", framealpha=1)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})


def _shares(seconds: list[float]) -> tuple[list[float], list[float]]:
    ordered = sorted(seconds)
    # As dense in the tail as at the head: each step leaves the same part of the calls behind.
    shares = [len(ordered) ** -(step / _STEPS) for step in range(_STEPS + 1)]
    return [1e3 * ordered[round((1 - share) * (len(ordered) - 1))] for share in shares], [100 * s for s in shares]


if __name__ == "__main__":
    found = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Felt)
    draw(found, Path(__file__).with_suffix(".svg"))
