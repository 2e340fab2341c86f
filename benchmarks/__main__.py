"""``python -m benchmarks``: measures, keeps the figures as JSON, and prints them as Markdown."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec

from benchmarks import exports, growth, rounds, start, walks
from benchmarks.report import markdown
from benchmarks.results import FOLDER, Run, here, read, write
from benchmarks.siblings import table
from benchmarks.works import FULL, PARTS, QUICK

_ROUNDS: Final = {False: 15, True: 3}
_MEGABYTES: Final = {False: 240, True: 8}  # of a large body: the first is just below the default `max_body_size`


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def _works(part: str) -> Callable[[bool, int], dict[str, Any]]:
    def measured(quick: bool, often: int) -> dict[str, Any]:  # noqa: FBT001 - as all of them
        return {"works": rounds.measure(QUICK if quick else FULL, often, _tell, works=tuple(PARTS[part]))}

    return measured


MEASURED: Final[Mapping[str, Callable[[bool, int], dict[str, Any]]]] = MappingProxyType(
    {
        **{part: _works(part) for part in PARTS},
        "walks": lambda quick, _often: {"walks": walks.measure(_tell, quick=quick)},
        "begins": lambda _quick, often: {"begins": start.measure(often)},
        "large": lambda quick, _often: {"large": table("large", _MEGABYTES[quick])},
        "growth": lambda quick, _often: {"growth": growth.measure(_tell, quick=quick)},
        "exports": lambda quick, _often: {"exports": exports.measure(_tell, quick=quick)},
    }
)
"""What gives the fields of a `Run`, by the part's name."""

_QUICK: Final = ("listing", "get", "fan-out", "ahead", "begins")


def main() -> None:
    """Measure the parts that are asked for, and print the tables of the whole run."""
    given = _arguments()
    quick, begun = given.quick, here()
    run = read(given.json) if given.add and given.json.exists() else Run(begun, QUICK if quick else FULL)
    for part in given.only or (_QUICK if quick else MEASURED):
        _tell(f"== {part}")
        found = MEASURED[part](quick, given.rounds or _ROUNDS[quick])
        found["works"] = {**run.works, **found.get("works", {})}
        run = msgspec.structs.replace(run, where=begun, **found)
        write(run, given.json)  # what is measured stays, whatever comes next
    print(markdown(run))


def _arguments() -> argparse.Namespace:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"a little of {', '.join(_QUICK)}, in less than two minutes; of the other parts with --only",
    )
    parser.add_argument("--rounds", type=int, metavar="N", help=f"rounds of batches (default: {_ROUNDS[False]})")
    parser.add_argument("--only", nargs="+", choices=list(MEASURED), metavar="PART", help=", ".join(MEASURED))
    parser.add_argument("--add", action="store_true", help="keep the other parts of the file")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="where the figures go (default: benchmarks/results/PYTHON.json)"
    )
    given = parser.parse_args()
    kind = "quick-" if given.quick else ""
    given.json = given.json or FOLDER / f"{kind}{version}.json"
    return given


if __name__ == "__main__":
    main()
