"""A run as tables of Markdown: targets first, then every figure with its spread."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from statistics import median, quantiles
from types import MappingProxyType
from typing import Final

from benchmarks.beside import export_sentence, others
from benchmarks.results import Run, costs
from benchmarks.targets import TARGETS, Target
from benchmarks.works import FULL, LATENCY, PARTS, WORKS

__all__ = ["TABLES", "markdown"]

_MB: Final = 1e6
_OF_EVERYTHING: Final = ("others", "export-sentence")  # a run of a part has nothing for them
_ENOUGH: Final = 15  # rounds for a median that another run finds again


def markdown(run: Run) -> str:
    """Give every table that the run has something for, each below its name."""
    made = {name: table(run) for name, table in TABLES.items() if name not in _OF_EVERYTHING}
    return "\n\n".join(f"### {name}\n\n{table}" for name, table in made.items() if table)


def targets(run: Run) -> str:
    """Give each target with what was measured, met or missed."""
    return _table(("target", "bound", "measured", ""), (_target(run, target) for target in TARGETS))


def _target(run: Run, target: Target) -> tuple[str, ...]:
    bound = f"{'≤' if target.most else '≥'} {target.bound_of(run):g}"
    try:
        value = target.value(run)
    except LookupError:
        return target.name, bound, "", "not measured in this run"
    return target.name, bound, f"{value:.3g}", "met" if target.met(run) else "**missed**"


def works(part: str) -> Callable[[Run], str]:
    """Give what makes the table of one part: medians, with the quartiles behind them."""
    head = ("work", "contender", "wall, ms", "CPU, ms", "peak, MB", "times as fast as the first")

    def table(run: Run) -> str:
        return _table(head, (row for name in PARTS[part] if name in run.works for row in _rows(run, name)))

    return table


def _rows(run: Run, name: str) -> Iterator[tuple[str, ...]]:
    first = costs(run, name, WORKS[name].contestants[0])
    per = 1e3 / WORKS[name].units(run.scale)
    for who, batches in run.works[name].items():
        own = costs(run, name, who)
        ratio = _spread([floor / one for floor, one in zip(first, own, strict=False)], 2)
        wall, cpu = ([getattr(batch, kind) / batch.laps * per for batch in batches] for kind in ("wall", "cpu"))
        peak = f"{max(batch.peak for batch in batches) / _MB:.0f}"
        yield name, who, _short(median(wall)), _short(median(cpu)), peak, ratio


def ideal(run: Run) -> str:
    """Give the share of the ideal time, ids / in flight * latency, that a fan-out with latency reaches."""
    rows = []
    for name, batches in run.works.items():
        if WORKS[name].waits and "fan-out" in name:
            ids, in_flight = WORKS[name].units(run.scale), int(name.split()[1])
            best = -(-ids // in_flight) * LATENCY
            rows += [(name, who, str(ids), f"{best / median(costs(run, name, who)):.2f}") for who in batches]
    return _table(("work", "contender", "ids", "share of the ideal"), rows)


def walks(run: Run) -> str:
    """Give the whole listings."""
    rows = (
        (case, f"{walk.cpu:.2f}", f"{walk.peak / _MB:.1f}", f"{walk.held / _MB:.1f}", f"{walk.held / walk.count:.0f}")
        for case, walk in run.walks.items()
    )
    head = ("listing", "CPU, s", "peak, MB", "held at the end, MB", "held, bytes an item")
    return _table(head, rows)


def begins(run: Run) -> str:
    """Give the processes from start to end."""
    rows = (
        (f"`{name}`", *(_spread([getattr(one, kind) * 1e3 for one in measured], 0) for kind in ("wall", "cpu")))
        for name, measured in run.begins.items()
    )
    return _table(("process", "wall, ms", "CPU, ms"), rows)


def large(run: Run) -> str:
    """Give the large bodies."""
    return _table(tuple(run.large[0]), (tuple(row.values()) for row in run.large)) if run.large else ""


def exports(run: Run) -> str:
    """Give every round of every export."""
    rows = (
        (f"{int(size):,}", *row.values())
        for size, rounds in sorted(run.exports.items(), key=lambda one: int(one[0]))
        for row in rounds
    )
    return _table(("evaluations", "contender", "CPU, s", "wall, s", "peak, MiB"), rows)


def growth(run: Run) -> str:
    """Give how fan-outs grow."""
    rows = ((case, f"{one.wall:.2f}", f"{one.cpu:.2f}") for case, one in run.growth.items())
    return _table(("fan-out", "wall, s", "CPU, s"), rows)


def where(run: Run) -> str:
    """Say where it ran, and with which versions."""
    versions = ", ".join(f"{name} {number}" for name, number in run.where.versions.items())
    rounds = max((len(batches) for done in run.works.values() for batches in done.values()), default=0)
    said = (
        f"{run.where.at:%Y-%m-%d}, {run.where.cores} cores, load {run.where.load:.1f} when it began; {rounds} rounds "
        f"of batches of at least {run.scale.batch / 1e3:g} s of CPU time; {versions}."
    )
    return " ".join([said, *_reserves(run, rounds)])


def _reserves(run: Run, rounds: int) -> Iterator[str]:
    """Say what makes the figures of a run rough."""
    if run.scale != FULL or rounds < _ENOUGH:
        yield "A provisional run: laps, batches or rounds are smaller than they should be."
    if run.where.load > 1:
        yield "Others used the machine, so its ratios are rough where the control is missed."


TABLES: Final[Mapping[str, Callable[[Run], str]]] = MappingProxyType(
    {
        "where": where,
        "targets": targets,
        **{part: works(part) for part in PARTS},
        "ideal": ideal,
        "walks": walks,
        "begins": begins,
        "large": large,
        "exports": exports,
        "growth": growth,
        "others": others,
        "export-sentence": export_sentence,
    }
)
"""What makes each table, by its name."""


def _table(head: tuple[str, ...], found: Iterable[tuple[str, ...]]) -> str:
    rows = list(found)
    if not rows:
        return ""
    rule = ("---" if column < _texts(head) else "--:" for column in range(len(head)))
    return "\n".join(map(_line, (head, tuple(rule), *rows)))


def _texts(head: tuple[str, ...]) -> int:
    return 2 if "contender" in head else 1


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _spread(values: list[float], digits: int) -> str:
    if len(values) < 2:  # noqa: PLR2004 - quartiles need two
        return f"{values[0]:.{digits}f}"
    first, _, third = quantiles(values, n=4, method="inclusive")
    return "{} ({} to {})".format(*(f"{value:.{digits}f}" for value in (median(values), first, third)))


def _short(value: float) -> str:
    return f"{value:.3g}" if value < 1e3 else f"{value:.0f}"  # noqa: PLR2004 - four digits are enough
