"""Batches to figures: medians with their spread, and ratios to the bare loop."""

import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from statistics import median, quantiles
from typing import Final

import msgspec

from benchmarks.contender import Batch
from benchmarks.rounds import Results

__all__ = ["markdown", "per_call", "raw"]

_FLOOR: Final = "bare"
_PACKAGES: Final = ("aegis-async", "aiohttp", "msgspec", "tenacity")


def markdown(results: Results) -> str:
    """Give the figures as a table, with the versions below.

    A ratio is how many times as fast as the bare loop a contender is, by CPU time: the median over the rounds of
    the bare loop's time by its own. Spreads are the quartiles.
    """
    lines = [line for work, batches in results.items() for line in _lines(work, batches)]
    head = ["| work | contender | wall, ms | CPU, ms | of the bare loop |", "|---|---|--:|--:|--:|"]
    versions = ", ".join(f"{name} {number}" for name, number in _versions().items())
    return "\n".join([*head, *lines, "", f"{_rounds(results)} rounds; {versions}."])


def per_call(results: Results, calls: int) -> str:
    """Give what each contender spends on one call beyond the bare loop, in microseconds of CPU time."""
    lines = ["| contender | µs a call over the bare loop |", "|---|--:|"]
    for batches in results.values():
        floor = [batch.cpu for batch in batches[_FLOOR]]
        for name, measured in batches.items():
            over = [own.cpu - bare for bare, own in zip(floor, measured, strict=True)]
            lines.append(f"| {name} | {_spread(over, 1e6 / calls, 1)} |")
    return "\n".join(lines)


def raw(results: Results) -> bytes:
    """Give every batch, with the versions, as JSON."""
    return msgspec.json.format(msgspec.json.encode({"versions": _versions(), "results": results}))


def _lines(work: str, batches: dict[str, list[Batch]]) -> Iterator[str]:
    floor = [batch.cpu for batch in batches[_FLOOR]]
    for name, measured in batches.items():
        wall, cpu = [batch.wall for batch in measured], [batch.cpu for batch in measured]
        ratio = _spread([bare / own for bare, own in zip(floor, cpu, strict=True)], 1.0, 2)
        yield f"| {work} | {name} | {_spread(wall, 1e3, 0)} | {_spread(cpu, 1e3, 0)} | {ratio} |"


def _spread(values: Sequence[float], scale: float, digits: int) -> str:
    first, _, third = quantiles(values, n=4, method="inclusive")
    shown = (f"{value * scale:.{digits}f}" for value in (median(values), first, third))
    return "{} ({} to {})".format(*shown)


def _versions() -> dict[str, str]:
    return {"Python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}


def _rounds(results: Results) -> int:
    return min(len(measured) for batches in results.values() for measured in batches.values())
