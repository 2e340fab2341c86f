"""From samples to figures: medians with their spread, as JSON and as a Markdown table."""

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from statistics import median, quantiles
from typing import Any

from benchmarks.rounds import Sample

__all__ = ["figures", "markdown"]

Samples = Mapping[str, Mapping[str, Sequence[Sample]]]


def figures(samples: Samples) -> dict[str, Any]:
    """Give every work's figures, and what they were measured with.

    Durations are seconds for one time the work is done. A ratio is the bare loop's processor time over the
    contender's, the median over the rounds: 1.0 is as fast, above is faster.
    """
    packages = ("aegis-async", "aiohttp", "msgspec", "tenacity")
    return {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "versions": {name: version(name) for name in packages},
        "works": {
            work: {name: _contender(of, contenders["bare"]) for name, of in contenders.items()}
            for work, contenders in samples.items()
        },
    }


def _contender(samples: Sequence[Sample], bare: Sequence[Sample]) -> dict[str, Any]:
    ratios = [floor.cpu / sample.cpu for floor, sample in zip(bare, samples, strict=True)]
    return {
        "rounds": len(samples),
        "cpu": median(sample.cpu for sample in samples),
        "cpu_over_bare": median(sample.cpu - floor.cpu for floor, sample in zip(bare, samples, strict=True)),
        "wall": median(sample.wall for sample in samples),
        "ratio": median(ratios),
        "ratio_quartiles": _quartiles(ratios),
        "peak_mib": max(sample.peak_kib for sample in samples) / 1024,
    }


def _quartiles(values: Sequence[float]) -> tuple[float, float]:
    low, _, high = quantiles(values, n=4)
    return low, high


def markdown(measured: Mapping[str, Any]) -> str:
    """Give the figures as a table, one row for a work and contender."""
    named = ", ".join(f"{name} {number}" for name, number in measured["versions"].items())
    lines = [
        f"Python {measured['python']}, {measured['machine']}; {named}. Medians of interleaved rounds.",
        "",
        "| work | contender | CPU, ms | wall, ms | ratio to bare (quartiles) | peak, MiB |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for work, contenders in measured["works"].items():
        for name, of in contenders.items():
            low, high = of["ratio_quartiles"]
            lines.append(
                f"| {work} | {name} | {of['cpu'] * 1e3:.3f} | {of['wall'] * 1e3:.3f} "
                f"| {of['ratio']:.3f} ({low:.3f} to {high:.3f}) | {of['peak_mib']:.0f} |"
            )
    return "\n".join(lines)
