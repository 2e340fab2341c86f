"""The command: ``python -m benchmarks``."""

import argparse
import json
from collections import defaultdict
from pathlib import Path

from benchmarks.report import figures, markdown
from benchmarks.rounds import WORKS, Sample, measure


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the SDK beside a bare loop.")
    parser.add_argument("--quick", action="store_true", help="5 rounds of 0.1 s instead of 15 of 0.25 s")
    parser.add_argument("--work", action="append", choices=WORKS, help="only this one; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there")
    return parser


def main() -> None:
    """Measure, print the table, and write what was asked for."""
    arguments = _parser().parse_args()
    rounds, seconds = (5, 0.1) if arguments.quick else (15, 0.25)
    samples: dict[str, dict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    for work, contender, sample in measure(arguments.work or list(WORKS), rounds, seconds):
        samples[work][contender].append(sample)
    measured = figures(samples)
    table = markdown(measured)
    print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    if arguments.markdown:
        arguments.markdown.write_text(table + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
