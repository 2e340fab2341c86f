"""What a reader wants first of a run: this package beside other clients, in one table and in one sentence."""

from collections.abc import Iterator
from statistics import median
from typing import Final

from benchmarks.exports import BESIDE_DLT, SIZES
from benchmarks.results import Run, costs
from benchmarks.siblings import numbers
from benchmarks.works import WORKS

__all__ = ["export_sentence", "others"]

_CLIENTS: Final = ("aegis_async", "httpx + pydantic", "githubkit", "openai-python")
_WORKS: Final = ("listing, pages of 100", "get, 2 KB", "get, 240 KB")
_EXPORT: Final = str(BESIDE_DLT)


def others(run: Run) -> str:
    """Give the CPU time of the same work by each client, and of the same export by dlt."""
    head = ["", *_CLIENTS, "dlt"]
    rows = [*_calls(run), *_exports(run)]
    lines = (head, ["---", *["--:"] * (len(head) - 1)], *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def export_sentence(run: Run) -> str:
    """Say what the largest export took, and how many times that dlt takes."""
    largest = run.exports[str(SIZES[-1])]
    seconds, peak = (max(numbers(largest, "parquet", column)) for column in ("processor s", "peak MiB"))
    theirs, ours = (median(numbers(run.exports[_EXPORT], who, "processor s")) for who in ("dlt", "parquet"))
    return (
        f"- An export of {SIZES[-1]:,} evaluations took {seconds:.1f} s of CPU time and {peak:.0f} MiB at its peak. "
        f"dlt's REST source takes {theirs / ours:.1f} times the CPU time, at {BESIDE_DLT:,} evaluations\n"
        "  ([performance](docs/performance.md))."
    )


def _calls(run: Run) -> Iterator[list[str]]:
    for name in _WORKS:
        per = 1e3 / WORKS[name].units(run.scale)
        cells = (f"{median(costs(run, name, who)) * per:.3g}" if who in run.works[name] else "" for who in _CLIENTS)
        yield [f"{name}: ms of CPU time", *cells, ""]


def _exports(run: Run) -> Iterator[list[str]]:
    for column, said in (("processor s", "s of CPU time"), ("peak MiB", "peak MiB")):
        ours, theirs = (median(numbers(run.exports[_EXPORT], who, column)) for who in ("parquet", "dlt"))
        blanks = [""] * (len(_CLIENTS) - 1)
        yield [f"export, {BESIDE_DLT:,} evaluations: {said}", f"{ours:.3g}", *blanks, f"{theirs:.3g}"]
