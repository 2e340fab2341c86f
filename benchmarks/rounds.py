"""Interleaved rounds: every contender does the same batch in turn, so that a noisy moment hits all alike."""

import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import astuple
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

import msgspec

from benchmarks.contender import Batch
from benchmarks.works import Scale, works

__all__ = ["CONTENDERS", "VARIANTS", "Process", "Results", "measure"]

CONTENDERS: Final[Mapping[str, str]] = MappingProxyType(
    {"bare": "bare", "bare again": "bare", "aegis_async": "ours"},
)
"""Each contender's module. The bare loop stands against itself as a control of the noise."""

VARIANTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **CONTENDERS,
        "aegis_async, no single flight": "ours_alone",
        "aegis_async, no single flight, four hooks": "ours_hooked",
    },
)
"""The same with this package's parts turned off and on, for the cost of one call."""

Results: TypeAlias = dict[str, dict[str, list[Batch]]]
"""The batches by work and contender."""

_ROOT: Final = Path(__file__).parents[1]


class Process:
    """A child that answers lines with lines, and ends when its standard input is closed."""

    def __init__(self, core: int, module: str, *arguments: object) -> None:
        self._module = module
        command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
        self._child = subprocess.Popen(  # noqa: S603 - our own modules
            command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self._child.pid, {core})

    def ask(self, line: str) -> str:
        """Send one line and give the answer."""
        assert self._child.stdin is not None  # noqa: S101 - it is a pipe
        self._child.stdin.write(f"{line}\n")
        self._child.stdin.flush()
        return self.read()

    def read(self) -> str:
        """Give the next line that it prints."""
        assert self._child.stdout is not None  # noqa: S101 - it is a pipe
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError(f"benchmarks.{self._module} ended with {self._child.wait()}")
        return line.rstrip("\n")

    def kill(self) -> None:
        """End it as a crash would, and wait for its end."""
        self._child.kill()
        self.close()

    def close(self) -> None:
        """End it, and wait for its end."""
        with self._child:  # closes the pipes and waits
            pass


def measure(
    scale: Scale,
    rounds: int,
    tell: Callable[[str], object],
    *,
    modules: Mapping[str, str] = CONTENDERS,
    only: Collection[str] = (),
) -> Results:
    """Do every work in so many rounds, after one round that is not counted.

    Args:
        scale: How much work is in one batch.
        rounds: How often each contender does each work.
        tell: Told of each work before it begins.
        modules: The contenders.
        only: Names of works, where not all of them are wanted.
    """
    results: Results = {}
    with _contenders(scale, modules) as contenders:
        for work in only or works(scale):
            tell(work)
            batches: dict[str, list[Batch]] = {name: [] for name in contenders}
            for number in range(rounds + 1):
                for name, process in _rotated(contenders, number):
                    batches[name].append(msgspec.json.decode(process.ask(work), type=Batch))
            results[work] = {name: measured[1:] for name, measured in batches.items()}
    return results


@contextmanager
def _contenders(scale: Scale, modules: Mapping[str, str]) -> Iterator[dict[str, Process]]:
    first, *_, last = (sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]) * 2
    with ExitStack() as stack:

        def started(core: int, module: str, *arguments: object) -> Process:
            process = Process(core, module, *arguments)
            stack.callback(process.close)
            return process

        url = started(first, "server", *astuple(scale)).read()
        yield {name: started(last, "contender", module, url, *astuple(scale)) for name, module in modules.items()}


def _rotated(contenders: dict[str, Process], by: int) -> list[tuple[str, Process]]:
    """Give the contenders with another one first in each round: who comes second finds warmer caches."""
    order = list(contenders.items())
    start = by % len(order)
    return order[start:] + order[:start]
