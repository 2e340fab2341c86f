"""What is aimed at, in one place: each target and how a run's value for it is found."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Final

from benchmarks.alone import Walk
from benchmarks.exports import BESIDE_DLT, SIZES
from benchmarks.results import Run, costs
from benchmarks.siblings import numbers
from benchmarks.works import IN_FLIGHT, PAGE_SIZES

__all__ = ["TARGETS", "Target", "net", "over", "ratio"]

_OURS: Final = "aegis_async"
_STRUCTS: Final = "bare, default Structs"
_MB: Final = 1e6
_OLD: Final = ("3.11.", "3.12.")  # whose garbage collector costs more


@dataclass(frozen=True, slots=True)
class Target:
    """One aim.

    Attributes:
        name: What it is about.
        bound: What it is to be at least, or at most.
        value: Finds it in a run; a `LookupError` says that the run has not measured it.
        most: Whether the bound is the most that is allowed.
        newer: The bound on Pythons from 3.13 on, where it is another one.
    """

    name: str
    bound: float
    value: Callable[[Run], float]
    most: bool = False
    newer: float | None = None

    def bound_of(self, run: Run) -> float:
        """Give the bound for the Python of a run."""
        old = run.where.versions["Python"].startswith(_OLD)
        return self.bound if old or self.newer is None else self.newer

    def met(self, run: Run) -> bool:
        """Whether a run keeps to it."""
        value, bound = self.value(run), self.bound_of(run)
        return value <= bound if self.most else value >= bound


def ratio(run: Run, work: str, who: str, than: str) -> float:
    """Give how many times as fast one is as another: the median over the rounds in which both took part."""
    pairs = zip(costs(run, work, who), costs(run, work, than), strict=False)
    return median(theirs / own for own, theirs in pairs)


def over(run: Run, work: str, who: str, calls: int) -> float:
    """Give the microseconds of one call over those of the bare loop: the median over the rounds."""
    pairs = zip(costs(run, work, who), costs(run, work, "bare"), strict=False)
    return median(own - bare for own, bare in pairs) / calls * 1e6


def net(run: Run, command: str, without: str | None = None) -> float:
    """Give the seconds of CPU time of a command, without those of another one."""
    taken = median(one.cpu for one in run.begins[command])
    return taken if without is None else taken - net(run, without)


def _control(run: Run) -> float:
    controlled = [work for work, batches in run.works.items() if "bare again" in batches]
    far = [abs(ratio(run, work, "bare again", "bare") - 1) for work in controlled]
    return max(far) if far else _missing("works")


def _kept(run: Run) -> float:
    ours, theirs = (_walk(run, f"items: {who}") for who in (_OURS, "httpx + pydantic"))
    return (ours.held / ours.count) / (theirs.held / theirs.count)


def _pages(run: Run) -> float:
    walk = _walk(run, "in pages of 10000")
    return walk.peak / walk.page


def _missing(what: str) -> float:
    raise LookupError(what)


def _walk(run: Run, ending: str) -> Walk:
    for case, walk in run.walks.items():
        if case.endswith(ending):
            return walk
    raise LookupError(ending)


def _streamed(run: Run) -> float:
    return (run.walks["walk 1000000 items"].peak - run.walks["walk 100000 items"].peak) / _MB


def _turn(run: Run) -> float:
    turns = [float(row["longest turn, ms"]) for row in run.large if "at once" not in row["work"]]
    return max(turns) if turns else _missing("large bodies")


def _exported(run: Run, size: int, who: str, than: str) -> float:
    ours, theirs = (median(numbers(run.exports[str(size)], name, "processor s")) for name in (who, than))
    return ours / theirs


def _times(bound: float, work: str, than: str, who: str = _OURS, newer: float | None = None) -> Target:
    name = f"{work}: times as fast as {than}"
    return Target(name, bound, lambda run: ratio(run, work, who, than), newer=newer)


_GET: Final = "get, 2 KB"
_LARGER: Final = {1000: 1.2, 10_000: 1.5}

TARGETS: Final = (
    Target("the bare loop against itself: how far from 1 it comes at most", 0.05, _control, most=True),
    *(_times(_LARGER.get(size, 1.0), f"listing, pages of {size}", _STRUCTS, newer=1.0) for size in PAGE_SIZES),
    *(_times(0.95, f"listing, pages of {size}", "bare") for size in PAGE_SIZES),
    _times(6.0, "listing, pages of 100", "httpx + pydantic"),
    _times(30.0, "listing, pages of 100", "openai-python"),
    Target(
        "one get: µs of CPU time over the bare loop, without single flight",
        10.0,
        lambda run: over(run, _GET, "aegis_async, no single flight", run.scale.small),
        most=True,
    ),
    Target(
        "one get: µs of CPU time over the bare loop",
        25.0,
        lambda run: over(run, _GET, _OURS, run.scale.small),
        most=True,
    ),
    *(_times(0.95, f"fan-out, {number} in flight", "bare") for number in IN_FLIGHT),
    *(_times(0.95, f"fan-out, {number} in flight, 20 ms", "bare") for number in IN_FLIGHT[2:]),
    Target(
        "100 pages of 10 at 20 ms: share of the sequential time with prefetch=8",
        0.17,
        lambda run: 1 / ratio(run, "100 pages of 10, 20 ms", "prefetch=8", "prefetch=0"),
        most=True,
    ),
    Target("memory of an item that is kept, of pydantic's", 0.4, _kept, most=True),
    Target("peak memory of walking pages of 10000, of the size of a body", 5.0, _pages, most=True),
    Target(
        "MB by which streaming 1,000,000 items peaks above 100,000 (100 bytes an id and 10)",
        100.0,
        _streamed,
        most=True,
    ),
    Target("longest turn of the loop with a large body, ms", 20.0, _turn, most=True),
    Target(
        "import, of importing aiohttp, msgspec and tenacity",
        1.15,
        lambda run: (
            net(run, "from aegis_async import AegisClient", "the interpreter")
            / net(run, "import aiohttp, msgspec, tenacity", "the interpreter")
        ),
        most=True,
    ),
    Target(
        "`aegis-async --help`, of the interpreter with aiohttp",
        2.0,
        lambda run: net(run, "aegis-async --help") / net(run, "import aiohttp"),
        most=True,
    ),
    Target(
        "export of a million evaluations: CPU time, of bare decoding and Parquet",
        1.3,
        lambda run: _exported(run, SIZES[-1], "parquet", "bare"),
        most=True,
    ),
    Target(
        "the same as a command, which owns its process",
        1.3,
        lambda run: _exported(run, SIZES[-1], "command", "bare"),
        most=True,
    ),
    Target(
        "its peak memory, MiB",
        300.0,
        lambda run: max(numbers(run.exports[str(SIZES[-1])], "parquet", "peak MiB")),
        most=True,
    ),
    Target(
        "export: times as fast as dlt's REST source",
        2.0,
        lambda run: 1 / _exported(run, BESIDE_DLT, "parquet", "dlt"),
    ),
)
"""What issue by issue was aimed at; none is ever taken out because it is missed."""
