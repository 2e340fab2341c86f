"""``python -m benchmarks.flames``: where the time of a listing, a fan-out and an export goes, as py-spy sees it.

It keeps the stacks' shares in ``benchmarks/results/flames.json``, which ``docs.pictures.flames`` draws.
"""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

import msgspec

from benchmarks.contender import Asked
from benchmarks.results import FOLDER
from benchmarks.rounds import Process, cores, served
from benchmarks.works import FULL

__all__ = ["FILE", "Flames", "Frame", "reduced"]


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """One function where it was called from.

    Attributes:
        name: With its file.
        share: Of the time, with what it called.
        inner: What it called.
    """

    name: str
    share: float
    inner: list["Frame"]


Flames: TypeAlias = dict[str, Frame]
"""By what was done."""

FILE: Final = FOLDER / "flames.json"
_ROOT: Final = Path(__file__).parents[1]
_LEAST: Final = 0.005  # a frame with less is cut off, and counts for the one that called it
_STARTS: Final = ("Handle._run ", "_WorkItem.run ")
_IDLE: Final = "EpollSelector.select "
_SECONDS: Final = 8
_RATE: Final = 200


def _recording(*what: str) -> list[str]:
    return ["py-spy", "record", "--format", "raw", "--function", "--rate", str(_RATE), *what]


def _work(name: str) -> Callable[[Path], None]:
    def recorded(out: Path) -> None:
        with served(FULL) as urls:
            contender = Process(cores()[1], "contender", "aegis_async", urls, msgspec.json.encode(FULL).decode())
            asked = msgspec.json.encode(Asked(name, 1)).decode()
            try:
                contender.ask(asked)  # it is connected, and code is warm
                command = _recording("--pid", str(contender.pid), "--duration", str(_SECONDS), "--output", str(out))
                with subprocess.Popen(command, stdout=subprocess.DEVNULL) as spy:  # noqa: S603 - as above
                    while spy.poll() is None:
                        contender.ask(asked)
            finally:
                contender.close()

    return recorded


def _export(out: Path) -> None:
    size = ("--collections", "500", "--evaluations", "1000")
    serving = [sys.executable, "-m", "benchmarks.export", *size, "--role", "serve"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(  # noqa: S603 - our own module
            serving, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server,
    ):
        assert server.stdin is not None  # noqa: S101 - pipes were asked for
        assert server.stdout is not None  # noqa: S101 - as above
        url = server.stdout.readline().strip()
        export = [sys.executable, "-m", "aegis_async", "export", f"{folder}/out", "--base-url", url]
        subprocess.run(  # noqa: S603 - our own command
            [*_recording("--output", str(out)), "--", *export],
            cwd=_ROOT,
            env={**os.environ, "AEGIS_API_KEY": "sk_benchmark"},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        server.stdin.close()


_RECORDED: Final[Mapping[str, Callable[[Path], None]]] = MappingProxyType(
    {
        "listing": _work("listing, pages of 100"),
        "fan-out": _work("fan-out, 8 in flight"),
        "export": _export,
    }
)


def reduced(lines: Iterable[str], least: float = _LEAST) -> Frame:
    """Give the tree of collapsed stacks, without what waits, what starts the loop, and frames below ``least``."""
    counts: Counter[tuple[str, ...]] = Counter()
    whole = 0
    for line in lines:
        stack, _, count = line.rpartition(" ")
        if stack.rpartition(";")[2].startswith(_IDLE):
            continue
        frames = _inside(stack.split(";"))
        whole += int(count)
        for depth in range(len(frames) + 1):
            counts[tuple(frames[:depth])] += int(count)
    return _grown((), {stack: count / whole for stack, count in counts.items() if count >= least * whole})


def _inside(frames: list[str]) -> list[str]:
    """Give the frames that the event loop called, or that a thread of a pool worked in."""
    starts = (place for place, frame in enumerate(frames) if frame.startswith(_STARTS))
    return frames[next(starts, -1) + 1 :]


def _grown(stack: tuple[str, ...], shares: Mapping[tuple[str, ...], float]) -> Frame:
    inner = [other for other in shares if len(other) == len(stack) + 1 and other[: len(stack)] == stack]
    return Frame(stack[-1] if stack else "", round(shares[stack], 4), [_grown(other, shares) for other in inner])


def main() -> None:
    """Record each and write them."""
    flames: Flames = {}
    for name, record in _RECORDED.items():
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "stacks"
            record(out)
            flames[name] = reduced(out.read_text(encoding="utf-8").splitlines())
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(flames), indent=0) + b"\n")


if __name__ == "__main__":
    main()
