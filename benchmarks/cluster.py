"""``python -m benchmarks.cluster``: exports of 10^9 evaluations on 1 to 200 workers with 1 to 50 keys, simulated.

It takes about a minute and writes ``benchmarks/results/cluster.json``, of which `benchmarks.pages` makes the tables and
`docs.pictures.cluster` the pictures of ``docs/scale.md``. SimPy is in the dependency groups ``pictures`` and ``bench``.
"""

import argparse
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.cluster_costs import Costs, commits, costs_of
from benchmarks.cluster_model import simulate
from benchmarks.cluster_plan import Outcome, Plan
from benchmarks.cluster_sweeps import sweeps
from benchmarks.results import FOLDER, read

__all__ = ["KEPT", "Case", "Simulated", "kept", "sweep"]

KEPT: Final = FOLDER / "cluster.json"
_RUN: Final = FOLDER / "3.11.json"


class Case(msgspec.Struct, frozen=True):
    """One simulated job.

    Attributes:
        plan: What was simulated.
        outcome: What came of it.
    """

    plan: Plan
    outcome: Outcome


class Simulated(msgspec.Struct, frozen=True):
    """All of them.

    Attributes:
        costs: What they were calibrated with.
        cases: By question.
    """

    costs: Costs
    cases: dict[str, list[Case]]


def sweep(costs: Costs, asked: Mapping[str, Sequence[Plan]]) -> Simulated:
    """Simulate every plan, on all cores."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:  # a fork would copy the caller's threads
        outcomes = {name: pool.map(partial(_short, costs=costs), plans) for name, plans in asked.items()}
        return Simulated(
            costs,
            {name: [Case(*one) for one in zip(asked[name], came, strict=True)] for name, came in outcomes.items()},
        )


def _short(plan: Plan, costs: Costs) -> Outcome:
    outcome = simulate(plan, costs)
    if set(outcome.committed) != {1}:
        raise RuntimeError(f"a partition was committed more or less than once: {plan}")
    return msgspec.structs.replace(outcome, committed=[])


def kept(file: Path = KEPT) -> Simulated:
    """Read the cases that are kept."""
    return msgspec.json.decode(file.read_bytes(), type=Simulated)


def main() -> None:
    """Simulate and keep."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--run", type=Path, default=_RUN, help="measured costs (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=KEPT, help="where the cases are kept (default: %(default)s)")
    given = parser.parse_args()
    costs = costs_of(read(given.run), commits())
    made = sweep(costs, sweeps(costs))
    given.out.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=0) + b"\n")


if __name__ == "__main__":
    main()
