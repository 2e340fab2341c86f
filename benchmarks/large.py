"""Large bodies: time, memory, and for how long the loop was blocked; ``python -m benchmarks.large [MEGABYTES]``."""

import argparse
from collections.abc import Iterator

import msgspec

from benchmarks.large_case import CASES, Figures
from benchmarks.rounds import Process

__all__ = ["markdown", "measure"]

_MEGABYTES = 300


def measure(megabytes: float) -> dict[str, Figures]:
    """Give the figures of each case, each in a process of its own, from a server in another."""
    server = Process(0, "large_server", megabytes)
    try:
        url = server.read()
        return {case: _measured(case, url) for case in CASES}
    finally:
        server.close()


def markdown(results: dict[str, Figures]) -> str:
    """Give the figures as a table."""
    return "\n".join(_lines(results))


def _measured(case: str, url: str) -> Figures:
    process = Process(1, "large_case", case, url)
    try:
        return msgspec.json.decode(process.read(), type=Figures)
    finally:
        process.close()


def _lines(results: dict[str, Figures]) -> Iterator[str]:
    yield "| work | body, MB | s | longest turn, ms | longest pause of the collector, ms | peak memory, of the body |"
    yield "|---|--:|--:|--:|--:|--:|"
    for case, f in results.items():
        numbers = f"{f.size / 1e6:.0f} | {f.seconds:.2f} | {f.turn * 1e3:.1f} | {f.collector * 1e3:.1f}"
        yield f"| {case} | {numbers} | {f.peak / f.size:.2f} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large", description=__doc__)
    parser.add_argument("megabytes", nargs="?", type=float, default=_MEGABYTES)
    print(markdown(measure(parser.parse_args().megabytes)))
