"""The simulated cluster as tables of Markdown."""

from collections.abc import Callable, Iterable, Mapping
from statistics import median
from types import MappingProxyType
from typing import Final

import msgspec

from benchmarks.cluster import Case, Simulated
from benchmarks.cluster_bounds import bounds
from benchmarks.cluster_costs import EVALUATIONS, Costs
from benchmarks.cluster_model import simulate
from benchmarks.cluster_plan import Plan
from benchmarks.cluster_sweeps import CHANGES, FAILURES, LATENCIES, RATES
from benchmarks.results import FOLDER, Run, read

__all__ = ["SIMULATED", "measured"]

_SHOWN: Final = (1, 5, 20, 50, 200)  # workers that have a column
_RUN: Final = FOLDER / "3.11.json"


def costs(made: Simulated) -> str:
    """Give what the model is calibrated with."""
    one = made.costs
    commit = one.commits.each + 500 * one.commits.mark
    rows = (
        ("start of a worker", f"{one.begin:.2f} s"),
        (f"a collection of {EVALUATIONS:,} evaluations at a worker", f"{one.collection * 1e3:.2f} ms"),
        ("its JSON", f"{one.size / 1e3:.0f} KB"),
        ("an item of the listing at the driver", f"{one.item * 1e6:.1f} µs"),
        ("a commit of 500 collections, without its writing", f"{commit * 1e6:.0f} µs"),
    )
    return _table(("CPU time, bytes", "measured"), rows)


def measured(run: Run, one: Costs) -> Iterable[tuple[str, str, str, str]]:
    """Compare with what was measured in real processes: what, simulated, measured, the first over the second."""
    for evaluations in (100_000, 200_000, 1_000_000):
        plan = _at_home(workers=1, collections=evaluations // EVALUATIONS, partition=100, concurrency=16)
        seen = median(float(row["seconds"]) for row in run.exports[str(evaluations)] if row["contender"] == "parquet")
        yield _compared(f"export of {evaluations:,} evaluations, one process", simulate(plan, one).seconds, seen)
    for workers in (1, 2, 4):
        grown = run.growth[f"workers: {workers}"]
        ids = 2000 * workers
        light = msgspec.structs.replace(one, begin=0.0, collection=grown.cpu / ids, size=2000)
        plan = _at_home(workers=workers, collections=ids, partition=2000, concurrency=16, latency=0.02)
        what = f"{workers} times 2,000 ids of 2 KB at 20 ms, 16 in flight"
        yield _compared(what, simulate(plan, light).seconds, grown.wall)


def _at_home(**settings: float) -> Plan:
    """Give a plan without what a loopback server and a local disk do not have."""
    nothing = {"rate": 1e9, "page_latency": 1e-6, "latency": 1e-6, "put": 0.0, "coding": 1.0, "link": 1e12}
    return Plan(**{"keys": 1, **nothing, **settings})  # type: ignore[arg-type]  # settings of several types


def _compared(what: str, model: float, seen: float) -> tuple[str, str, str, str]:
    return what, f"{model:.2f}", f"{seen:.2f}", f"{model / seen:.2f}"


def against(made: Simulated) -> str:
    """Give the model beside what was measured."""
    return _table(("wall time, s", "simulated", "measured", "ratio"), measured(read(_RUN), made.costs))


def size(made: Simulated) -> str:
    """Give the hours, the workers' hours and what was busiest, for some numbers of workers and all keys."""
    found = {(one.plan.rate, one.plan.keys, one.plan.workers): one.outcome for one in made.cases["size"]}
    rows = []
    for rate in RATES:
        for keys in sorted({keys for _, keys, _ in found}):
            cells = (found[rate, keys, workers] for workers in _SHOWN)
            texts = (f"{_time(one.seconds)}, {one.worker_hours:.1f} h, {one.bottleneck}" for one in cells)
            rows.append((f"{keys} of {rate:g}/s", *texts))
    return _table(("keys of a rate", *(f"{workers} workers" for workers in _SHOWN)), rows)


def limiter(made: Simulated) -> str:
    """Give what a limiter of a key is worth, by the workers that share the key."""
    cases = made.cases["limiter"]
    by_asked: dict[float, list[Case]] = {}
    for one in cases:
        by_asked.setdefault(one.plan.asked, []).append(one)
    head = ("limiter of the key", *(f"{one.plan.workers}" for one in by_asked[1.0]))
    rows = (
        (
            f"{asked:.0%} of the service's rate" if asked else "none",
            *(f"{_time(o.seconds)}, {o.refused / o.requests:.2%}" for o in (one.outcome for one in found)),
        )
        for asked, found in by_asked.items()
    )
    return _table(head, rows)


def concurrency(made: Simulated) -> str:
    """Give the collections a second of ten workers by what each has in flight."""
    cases = made.cases["concurrency"]
    found = {(one.plan.latency, one.plan.concurrency): one for one in cases}
    slots = sorted({number for _, number in found})
    rows = (
        (
            f"{latency * 1e3:.0f} ms",
            *(f"{found[latency, n].plan.collections / found[latency, n].outcome.seconds:.0f}" for n in slots),
        )
        for latency in LATENCIES
    )
    return _table(("latency", *map(str, slots)), rows)


def failures(made: Simulated) -> str:
    """Give what failures cost."""
    return _changed(FAILURES, made.cases["failures"])


def wide(made: Simulated) -> str:
    """Give what else holds up many workers with many keys."""
    return _changed(CHANGES, made.cases["wide"])


def _changed(names: Mapping[str, object], cases: list[Case]) -> str:
    head = ("", "time", "worker hours", "requests", "refused", "fetched again", "busiest")
    rows = (
        (
            name,
            _time(one.outcome.seconds),
            f"{one.outcome.worker_hours:.2f}",
            f"{one.outcome.requests:,}",
            f"{one.outcome.refused:,}",
            f"{one.outcome.repeated:,}",
            f"{one.outcome.bottleneck}, {one.outcome.busy[one.outcome.bottleneck]:.0%}",
        )
        for name, one in zip(names, cases, strict=True)
    )
    return _table(head, rows)


def settings(made: Simulated) -> str:
    """Give what to set for so many keys, and how far from the best possible time that is."""
    head = ("keys of a rate", "workers", "concurrency", "partition", "time", "of the bound", "worker hours", "requests")
    rows = (
        (
            f"{one.plan.keys} of {one.plan.rate:g}/s",
            f"{one.plan.workers}",
            f"{one.plan.concurrency}",
            f"{one.plan.partition}",
            _time(one.outcome.seconds),
            f"{one.outcome.seconds / max(bounds(one.plan, made.costs).values()):.2f}",
            f"{one.outcome.worker_hours:.1f}",
            f"{one.outcome.requests:,}",
        )
        for one in made.cases["settings"]
    )
    return _table(head, rows)


def _time(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    rule = ("---", *("--:" for _ in head[1:]))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


SIMULATED: Final[Mapping[str, Callable[[Simulated], str]]] = MappingProxyType(
    {
        "costs": costs,
        "against": against,
        "size": size,
        "limiter": limiter,
        "concurrency": concurrency,
        "failures": failures,
        "wide": wide,
        "settings": settings,
    }
)
"""What makes each table, by its name."""
