"""Interleaved rounds: every contender does the same batch in turn, so that a noisy moment hits all alike."""

import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

import msgspec

from benchmarks.contender import Asked, Batch
from benchmarks.contestants import CONTESTANTS
from benchmarks.works import PARTS, WORKS, Scale, Work

__all__ = ["Process", "Results", "cores", "measure", "served"]

Results: TypeAlias = dict[str, dict[str, list[Batch]]]
"""The batches by work and contender."""

_ROOT: Final = Path(__file__).parents[1]
# The C library learns from what was freed when to give memory back to the system, so that of two processes with the
# same work one may pay a third more for fetching it again, all its life. Here nobody gives any back.
_STEADY: Final = MappingProxyType(dict.fromkeys(("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"), str(1 << 30)))
_FEWER: Final = 5  # rounds of what mostly waits, and so is the same each time, and of who is slow
_SLOW: Final = 0.5  # seconds of CPU time of one lap: long enough to be steady, and too long to be waited for 15 times


class Process:
    """A child that answers lines with lines, and ends when its standard input is closed.

    Args:
        core: The one that it is bound to; None for any.
        module: Of this folder.
        arguments: On its command line.
        environment: Variables that it has beside ours.
    """

    def __init__(
        self, core: int | None, module: str, *arguments: object, environment: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._module = module
        command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
        self._child = subprocess.Popen(  # noqa: S603 - our own modules
            command,
            cwd=_ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if core is not None and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self._child.pid, {core})

    @property
    def pid(self) -> int:
        """Give the child's process id."""
        return self._child.pid

    def ask(self, line: str) -> str:
        """Send one line and give the answer."""
        self.write(line)
        return self.read()

    def write(self, line: str) -> None:
        """Send one line."""
        assert self._child.stdin is not None  # noqa: S101 - it is a pipe
        self._child.stdin.write(f"{line}\n")
        self._child.stdin.flush()

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


@dataclass(frozen=True, slots=True)
class _Field:
    """The contenders of some works, each in its process, and the length of their batches."""

    processes: dict[str, Process]
    seconds: float

    def round(self, name: str, laps: Mapping[str, int], number: int) -> dict[str, Batch]:
        """Let each do its batch, with another one first in each round: who comes second finds warmer caches."""
        order = list(laps)
        start = number % len(order)
        return {who: self.batch(name, who, laps[who]) for who in order[start:] + order[:start]}

    def batch(self, name: str, who: str, laps: int) -> Batch:
        asked = msgspec.json.encode(Asked(name, laps)).decode()
        return msgspec.json.decode(self.processes[who].ask(asked), type=Batch)

    def second_laps(self, name: str, work: Work) -> dict[str, float]:
        """Give the seconds of CPU time of one lap of each: of a second one, for the first one also warms up."""
        taking_part = [who for who in work.contestants if who in self.processes]
        return {who: [self.batch(name, who, 1) for _ in range(2)][1].cpu for who in taking_part}


def measure(
    scale: Scale,
    rounds: int,
    tell: Callable[[str], object],
    *,
    works: Sequence[str] = tuple(WORKS),
    who: Collection[str] = tuple(CONTESTANTS),
) -> Results:
    """Do each work in so many rounds.

    Args:
        scale: How much work is in one batch.
        rounds: How often each contender does each work; who is slow takes part in the first of them only.
        tell: Told of each work before it begins.
        works: Names of works.
        who: Names of contestants; those of them that do a work.
    """
    results: Results = {}
    with served(scale) as urls:
        for part in PARTS.values():
            names = [name for name in part if name in works]
            contestants = dict.fromkeys(one for name in names for one in part[name].contestants if one in who)
            with _started(contestants, urls, scale) as processes:
                for name in names:
                    tell(name)
                    results[name] = _measured(name, _Field(processes, scale.batch / 1e3), rounds)
    return results


def _measured(name: str, contenders: _Field, rounds: int) -> dict[str, list[Batch]]:
    work = WORKS[name]
    taken = contenders.second_laps(name, work)
    laps = {who: 1 if work.waits else ceil(contenders.seconds / one) for who, one in taken.items()}
    often = {who: min(rounds, _FEWER) if work.waits or one > _SLOW else rounds for who, one in taken.items()}
    measured = [
        contenders.round(name, {who: count for who, count in laps.items() if number < often[who]}, number)
        for number in range(max(often.values()))
    ]
    return {who: [batches[who] for batches in measured if who in batches] for who in laps}


def cores() -> tuple[int, int]:
    """Give the server's core and the contenders'."""
    found = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    return found[0], found[-1]


@contextmanager
def served(scale: Scale) -> Iterator[str]:
    """Start the fixture server and give its base URLs by service, as JSON."""
    server = Process(cores()[0], "server", msgspec.json.encode(scale).decode())
    try:
        yield server.read()
    finally:
        server.close()


@contextmanager
def _started(contestants: Iterable[str], urls: str, scale: Scale) -> Iterator[dict[str, Process]]:
    with ExitStack() as stack:
        processes: dict[str, Process] = {}
        for name in contestants:
            encoded = msgspec.json.encode(scale).decode()
            process = Process(cores()[1], "contender", name, urls, encoded, environment=_STEADY)
            stack.callback(process.close)
            processes[name] = process
        yield processes
