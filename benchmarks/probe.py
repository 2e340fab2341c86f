"""How much processor time one turn of the event loop takes at most, with the garbage collector's pauses apart."""

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Longest", "probed"]


@dataclass(slots=True)
class Longest:
    """The longest that was seen, in seconds of this thread's processor time: other processes do not count.

    Attributes:
        turn: One callback of the loop, without the collector.
        collector: One pause of the garbage collector.
    """

    turn: float = 0.0
    collector: float = 0.0


@contextmanager
def probed() -> Iterator[Longest]:
    """Watch every callback of every loop in this process."""
    longest, begun, paused = Longest(), 0.0, 0.0
    run = asyncio.Handle._run  # noqa: SLF001 - there is no public place that sees every callback

    def collecting(phase: str, _info: dict[str, int]) -> None:
        nonlocal begun, paused
        if phase == "start":
            begun = time.thread_time()
        else:
            pause = time.thread_time() - begun
            paused += pause
            longest.collector = max(longest.collector, pause)

    def timed(handle: asyncio.Handle) -> None:
        nonlocal paused
        paused, start = 0.0, time.thread_time()
        run(handle)
        longest.turn = max(longest.turn, time.thread_time() - start - paused)

    gc.callbacks.append(collecting)
    asyncio.Handle._run = timed  # type: ignore[method-assign,assignment]  # noqa: SLF001 - as above
    try:
        yield longest
    finally:
        asyncio.Handle._run = run  # type: ignore[method-assign]  # noqa: SLF001 - as above
        gc.callbacks.remove(collecting)
