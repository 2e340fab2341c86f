"""Draws the runs of ``benchmarks/results``: ``python -m docs.pictures.benchmarks`` writes four SVG files beside itself.

matplotlib is in the dependency group ``pictures``.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any, Final

import matplotlib as mpl
from matplotlib import pyplot as plt

from benchmarks.results import FOLDER, Run, costs, read
from benchmarks.targets import ratio
from benchmarks.works import IN_FLIGHT, LATENCY, PAGE_SIZES, WORKS

__all__ = ["PICTURES", "draw"]

_RUN: Final = FOLDER / "3.11.json"
_LISTERS: Final = ("aegis_async", "bare, default Structs", "httpx + pydantic", "githubkit", "openai-python")
_MB: Final = 1e6


def _listing(run: Run, axes: Any) -> None:
    width = 0.8 / len(_LISTERS)
    for number, who in enumerate(_LISTERS):
        works = [f"listing, pages of {size}" for size in PAGE_SIZES]
        there = [place for place, work in enumerate(works) if who in run.works[work]]
        heights = [ratio(run, works[place], who, "bare") for place in there]
        axes.bar([place + number * width for place in there], heights, width, label=who)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_xticks([place + 0.4 - width / 2 for place in range(len(PAGE_SIZES))], [f"{size:,}" for size in PAGE_SIZES])
    axes.set(xlabel="items on a page", ylabel="times as fast as the bare loop", title="Walking a listing, by CPU time")


def _fan_out(run: Run, axes: Any) -> None:
    for who in ("aegis_async", "bare", "httpx + pydantic"):
        rates = []
        for number in IN_FLIGHT:
            work = f"fan-out, {number} in flight"
            rates.append(WORKS[work].units(run.scale) / median(costs(run, work, who)))
        axes.plot(IN_FLIGHT, rates, "o-", label=who)
    axes.set_xscale("log", base=2)
    axes.set_xticks(IN_FLIGHT, map(str, IN_FLIGHT))
    axes.set(xlabel="in flight", ylabel="collections a second of CPU time", title="Fan-out over collections of 2 KB")
    axes.set_ylim(bottom=0)


def _ahead(run: Run, axes: Any) -> None:
    work = "100 pages of 10, 20 ms"
    pages = [int(who.removeprefix("prefetch=")) for who in run.works[work]]
    taken = [median(costs(run, work, who)) for who in run.works[work]]
    axes.plot(pages, taken, "o-", label="aegis_async")
    axes.plot(pages, [100 * LATENCY / max(1, number) for number in pages], "k:", label="latency alone")
    axes.set(xlabel="prefetch", ylabel="seconds", title="100 pages of 10 at 20 ms")
    axes.set_ylim(bottom=0)


def _growth(run: Run, axes: Any) -> None:
    listed = {int(case.split()[1]): walk for case, walk in run.walks.items() if case.split()[2:] == ["items"]}
    axes.loglog(list(listed), [walk.cpu for walk in listed.values()], "o-", label="listing, items in pages of 1,000")
    ids = {int(case.split()[0]): one for case, one in run.growth.items() if case.endswith(" ids")}
    axes.loglog(list(ids), [one.cpu for one in ids.values()], "s-", label="fan-out, ids")
    sizes = sorted(map(int, run.exports))
    spent = [
        median(float(row["processor s"]) for row in run.exports[str(size)] if row["contender"] == "parquet")
        for size in sizes
    ]
    axes.loglog(sizes, spent, "^-", label="export, evaluations")
    axes.set(xlabel="how many", ylabel="seconds of CPU time", title="How cost grows")


PICTURES: Final[Mapping[str, Callable[[Run, Any], None]]] = MappingProxyType(
    {"speed-listing": _listing, "speed-fan-out": _fan_out, "speed-ahead": _ahead, "speed-growth": _growth}
)
"""What draws each picture, by its file's name."""


def draw(run: Run, folder: Path) -> None:
    """Write every picture of a run."""
    mpl.use("svg")
    mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "aegis", "font.size": 9.0}
    for name, drawn in PICTURES.items():
        figure, axes = plt.subplots(figsize=(6.4, 3.9), layout="constrained")
        drawn(run, axes)
        figure.legend(loc="outside lower center", ncols=3, fontsize=8)  # inside it would hide a bar
        axes.grid(visible=True, alpha=0.3)
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
        plt.close(figure)


if __name__ == "__main__":
    draw(read(_RUN), Path(__file__).parent)
