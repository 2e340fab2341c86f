"""``python -m benchmarks``: measures, and prints a table as Markdown."""

import argparse
import sys
from pathlib import Path
from typing import Final

from benchmarks.report import markdown, raw
from benchmarks.rounds import measure
from benchmarks.works import FULL

_ROUNDS: Final = 15
_QUICK: Final = 5


def main() -> None:
    """Measure every work and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{_QUICK} rounds instead of {_ROUNDS}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single batch to this file too")
    given = parser.parse_args()
    results = measure(FULL, _QUICK if given.quick else _ROUNDS, lambda work: print(work, file=sys.stderr))
    print(markdown(results))
    if given.json:
        given.json.write_bytes(raw(results))


if __name__ == "__main__":
    main()
