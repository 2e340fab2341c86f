"""``python -m benchmarks``: measures, and prints a table as Markdown."""

import argparse
import sys
from pathlib import Path
from typing import Final

from benchmarks.report import markdown, per_call, raw
from benchmarks.rounds import CONTENDERS, VARIANTS, measure
from benchmarks.works import FULL, SMALL_GETS

_ROUNDS: Final = 15
_QUICK: Final = 5


def main() -> None:
    """Measure every work and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{_QUICK} rounds instead of {_ROUNDS}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single batch to this file too")
    parser.add_argument("--calls", action="store_true", help="the cost of one get, with parts turned on and off")
    given = parser.parse_args()
    modules, only = (VARIANTS, [SMALL_GETS]) if given.calls else (CONTENDERS, [])
    rounds = _QUICK if given.quick else _ROUNDS
    results = measure(FULL, rounds, lambda work: print(work, file=sys.stderr), modules=modules, only=only)
    print(markdown(results))
    if given.calls:
        print(per_call(results, FULL.small * FULL.laps))
    if given.json:
        given.json.write_bytes(raw(results))


if __name__ == "__main__":
    main()
