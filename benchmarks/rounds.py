"""Rounds: every contender does every work in turn, so that what slows the machine slows them all."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from benchmarks.documents import EVALUATIONS, ITEMS, PAGE_SIZES, PREFIX

__all__ = ["CONTENDERS", "WORKS", "Sample", "Work", "measure"]


@dataclass(frozen=True)
class Work:
    """One thing to do: a method of the contenders, its argument, and the count it must give."""

    method: str
    argument: int
    count: int


@dataclass(frozen=True)
class Sample:
    """What one batch cost, in seconds for each time the work was done, and the process's peak so far."""

    cpu: float
    wall: float
    peak_kib: int


WORKS: Final[Mapping[str, Work]] = MappingProxyType(
    {f"list, pages of {size}": Work("listing", size, ITEMS) for size in PAGE_SIZES}
    | {
        "get, 2 KB": Work("get", 1, EVALUATIONS[1]),
        "get, 240 KB": Work("get", 2, EVALUATIONS[2]),
    }
)
# The bare loop against itself is the control: what it differs by is the machine's noise.
CONTENDERS: Final[Mapping[str, str]] = MappingProxyType({"bare": "bare", "control": "bare", "ours": "ours"})

_SLOWEST = 20_000  # times a work is done in one batch at most


class _Process:
    """A contender's process, one work at a time."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def batch(self, work: Work, times: int) -> Sample:
        """Do ``work`` so many times and give what one of them cost."""
        assert self._process.stdin is not None  # noqa: S101 - both are pipes
        assert self._process.stdout is not None  # noqa: S101
        order = {"name": work.method, "argument": work.argument, "times": times}
        print(json.dumps(order), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the contender ended; its own error stands above")
        answer: dict[str, Any] = json.loads(line)
        if answer["count"] != work.count * times:
            raise RuntimeError(f"{work} counted {answer['count']}, not {work.count * times}")
        return Sample(answer["cpu"] / times, answer["wall"] / times, answer["peak_kib"])


def measure(works: Sequence[str], rounds: int, seconds: float) -> Iterator[tuple[str, str, Sample]]:
    """Yield the name of a work, of a contender, and a sample of it, round after round.

    Args:
        works: The names of the works to do.
        rounds: How often each contender does each work.
        seconds: Processor time that a batch of the bare loop takes at least.
    """
    with ExitStack() as stack:
        port = stack.enter_context(_started("benchmarks.server")).stdout.readline().strip()  # type: ignore[union-attr]  # a pipe
        url = f"http://127.0.0.1:{port}{PREFIX}"
        processes = {
            name: _Process(stack.enter_context(_started("benchmarks.contender", module, url)))
            for name, module in CONTENDERS.items()
        }
        times = {name: _times(processes["bare"], WORKS[name], seconds) for name in works}
        for number in range(-1, rounds):
            for work in works:
                for contender in _turned(list(processes), number):
                    sample = processes[contender].batch(WORKS[work], times[work])
                    if number >= 0:  # the round before the first one warms every contender up
                        yield work, contender, sample


def _times(bare: _Process, work: Work, seconds: float) -> int:
    bare.batch(work, 1)
    return min(_SLOWEST, 1 + int(seconds / bare.batch(work, 3).cpu))


def _turned(names: list[str], number: int) -> list[str]:
    first = number % len(names)
    return names[first:] + names[:first]


@contextmanager
def _started(module: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        yield process
        # Leaving the block closes the pipe, at which the process ends by itself.
