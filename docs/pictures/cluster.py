"""Draws the simulated cluster: ``python -m docs.pictures.cluster`` writes four SVG files beside itself.

What it draws is kept in ``benchmarks/results/cluster.json``; `benchmarks.cluster` makes that. matplotlib is in the
dependency group ``pictures``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle

from benchmarks.cluster import Case, Simulated, kept
from benchmarks.cluster_sweeps import ASKED, KEYS, PARTITIONED, PARTITIONS, PER_KEY, RATES, WORKERS

__all__ = ["PICTURES", "draw"]

_HOUR: Final = 3600.0
_COLOURS: Final = {
    "cpu": "#9ecae1",
    "rate": "#fdae6b",
    "slots": "#bcbddc",
    "link": "#c7e9c0",
    "commits": "#fc9272",
    "listing": "#d9d9d9",
}
_MEANT: Final = {
    "cpu": "the workers' processors",
    "rate": "the service's rate for the keys",
    "slots": "requests in flight",
    "link": "the network",
    "commits": "the driver's commits",
    "listing": "the listing",
}
_MARKS: Final = "osv^Dx"


def _hours(made: Simulated, axes: Any) -> None:
    for panel, rate in zip(axes, RATES, strict=True):
        for keys, mark in zip(KEYS, _MARKS, strict=True):
            found = [one for one in made.cases["size"] if (one.plan.rate, one.plan.keys) == (rate, keys)]
            panel.loglog(_workers(found), [o.seconds / _HOUR for o in _outcomes(found)], f"{mark}-", label=f"{keys}")
        alone = made.costs.collection * 1e6 / _HOUR
        panel.loglog(WORKERS, [alone / workers for workers in WORKERS], "k:", label="CPU time alone")
        _ticks(panel, WORKERS)
        panel.set(xlabel="workers", title=f"{rate:g} requests a second for a key", ylim=(0.01, 12))
    axes[0].set(ylabel="hours for 10⁹ evaluations")
    axes[0].legend(title="keys", fontsize=7, title_fontsize=7)


def _bottleneck(made: Simulated, axes: Any) -> None:
    names = list(_COLOURS)
    for panel, rate in zip(axes, RATES, strict=True):
        found = {(one.plan.keys, one.plan.workers): one.outcome for one in made.cases["size"] if one.plan.rate == rate}
        grid = [[names.index(found[keys, workers].bottleneck) for workers in WORKERS] for keys in KEYS]
        panel.imshow(grid, cmap=ListedColormap(list(_COLOURS.values())), vmin=0, vmax=len(names) - 1, origin="lower")
        for row, keys in enumerate(KEYS):
            for column, workers in enumerate(WORKERS):
                hours = found[keys, workers].seconds / _HOUR
                panel.text(column, row, f"{hours:.2g}", ha="center", va="center", fontsize=7)
        panel.set_xticks(range(len(WORKERS)), map(str, WORKERS))
        panel.set_yticks(range(len(KEYS)), map(str, KEYS))
        panel.set(xlabel="workers", title=f"{rate:g} requests a second for a key")
        panel.grid(visible=False)
    axes[0].set(ylabel="keys")
    seen = {one.outcome.bottleneck for one in made.cases["size"]}
    patches = [Rectangle((0, 0), 1, 1, color=colour) for name, colour in _COLOURS.items() if name in seen]
    axes[0].figure.legend(
        patches, [_MEANT[name] for name in names if name in seen], loc="outside lower center", ncols=4, fontsize=8
    )


def _partition(made: Simulated, axes: Any) -> None:
    named = {
        (0.0, False): "a commit for each",
        (0.0, True): "commits grouped",
        (10.0, True): "the same, 10 deaths an hour",
    }
    for how, mark in zip(PARTITIONED, _MARKS, strict=False):
        found = [one for one in made.cases["partition"] if (one.plan.crashes, one.plan.grouped) == how]
        sizes = [one.plan.partition for one in found]
        axes[0].semilogx(sizes, [o.seconds / 60 for o in _outcomes(found)], f"{mark}-", label=named[how])
        again = [100 * o.repeated / one.plan.collections for one, o in zip(found, _outcomes(found), strict=True)]
        axes[1].semilogx(sizes, again, f"{mark}-", label=named[how])
    for panel in axes:
        _ticks(panel, PARTITIONS)
    axes[0].set(xlabel="collections in a partition", ylabel="minutes", title="100 workers, 50 keys", ylim=(0, None))
    axes[1].set(xlabel="collections in a partition", ylabel="%", title="Fetched again")
    axes[0].legend(fontsize=7)


def _limiter(made: Simulated, axes: Any) -> None:
    for asked, mark in zip(ASKED, _MARKS, strict=False):
        found = [one for one in made.cases["limiter"] if one.plan.asked == asked]
        label = f"{asked:.0%} of the service's rate" if asked else "no limiter"
        axes[0].plot(_workers(found), [o.seconds / 60 for o in _outcomes(found)], f"{mark}-", label=label)
        axes[1].plot(_workers(found), [100 * o.refused / o.requests for o in _outcomes(found)], f"{mark}-", label=label)
    for panel in axes:
        panel.set_xscale("log", base=2)
        _ticks(panel, PER_KEY)
        panel.set(xlabel="workers that share a key of 400/s", ylim=(0, None))
    axes[0].set(ylabel="minutes", title="Time")
    axes[1].set(ylabel="% of the requests", title="Answered with 429")
    axes[0].legend(fontsize=7)


def _ticks(panel: Any, places: Sequence[int]) -> None:
    panel.set_xticks(places, [f"{place:,}" for place in places], fontsize=8)
    panel.minorticks_off()


def _workers(cases: Iterable[Case]) -> list[int]:
    return [one.plan.workers for one in cases]


def _outcomes(cases: Iterable[Case]) -> list[Any]:
    return [one.outcome for one in cases]


PICTURES: Final[Mapping[str, Callable[[Simulated, Any], None]]] = MappingProxyType(
    {
        "cluster-hours": _hours,
        "cluster-bottleneck": _bottleneck,
        "cluster-partition": _partition,
        "cluster-limiter": _limiter,
    }
)
"""What draws each picture, by its file's name."""


def draw(made: Simulated, folder: Path) -> None:
    """Write every picture."""
    mpl.use("svg")
    mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "aegis", "font.size": 9.0}
    for name, drawn in PICTURES.items():
        figure, axes = plt.subplots(1, 2, figsize=(7.6, 3.6), layout="constrained")
        for panel in axes:
            panel.grid(visible=True, alpha=0.3)
        drawn(made, axes)
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
        plt.close(figure)


if __name__ == "__main__":
    draw(kept(), Path(__file__).parent)
