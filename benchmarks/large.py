"""Large bodies: time, memory, and for how long the loop was blocked; ``python -m benchmarks.large [MEGABYTES]``."""

import argparse
from collections.abc import Iterator, Sequence

import msgspec

from benchmarks.large_case import CASES, Figures
from benchmarks.rounds import Process

__all__ = ["markdown", "measure"]

_MEGABYTES = 300


def measure(megabytes: float, numbers: Sequence[int] = range(len(CASES))) -> dict[int, Figures]:
    """Give the figures of cases by their number, each in a process of its own, from a server in another."""
    server = Process(0, "large_server", megabytes)
    try:
        url = server.read()
        return {number: _measured(number, url) for number in numbers}
    finally:
        server.close()


def markdown(results: dict[int, Figures]) -> str:
    """Give the figures as a table."""
    return "\n".join(_lines(results))


def _measured(number: int, url: str) -> Figures:
    process = Process(1, "large_case", number, url)
    try:
        return msgspec.json.decode(process.read(), type=Figures)
    finally:
        process.close()


def _lines(results: dict[int, Figures]) -> Iterator[str]:
    yield (
        "| work | body, MB | s | longest turn, ms | longest pause of the collector, ms "
        "| the caller lets go, ms | peak memory, of the body |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for number, f in results.items():
        times = f"{f.seconds:.2f} | {f.turn * 1e3:.1f} | {f.collector * 1e3:.1f} | {f.freed * 1e3:.0f}"
        yield f"| {CASES[number].work} | {f.size / 1e6:.1f} | {times} | {f.peak / f.size:.2f} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large", description=__doc__)
    parser.add_argument("megabytes", nargs="?", type=float, default=_MEGABYTES)
    parser.add_argument("--only", type=int, nargs="+", default=range(len(CASES)), metavar="NUMBER")
    arguments = parser.parse_args()
    print(markdown(measure(arguments.megabytes, arguments.only)))
