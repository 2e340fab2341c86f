"""How far an export is: a bar on a terminal, a line every few seconds elsewhere."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, Protocol, TypeAlias

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from aegis_async import AegisClient
from aegis_async.cli._terminal import say
from aegis_async.export import Progress

__all__ = ["BarDisplay", "Display", "LineDisplay", "Meter", "shown_progress"]

_INTERVAL: Final = 5.0
_TICK: Final = 1.0  # seconds after which a bar says anew what changes by itself: the rate, the retries

Sleep: TypeAlias = Callable[[float], Awaitable[None]]


class Display(Protocol):
    """Shows progress."""

    def update(self, progress: Progress) -> None:
        """Take the latest."""


class Meter:
    """Measures the rate, and says it together with the client's retries.

    Args:
        retries: Gives how many there were so far.
        clock: Seconds that never go back.
    """

    def __init__(self, retries: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self.progress = Progress()
        self._retries = retries
        self._clock = clock
        self._started = clock()

    @property
    def rate(self) -> float:
        """Collections a second since the start."""
        elapsed = self._clock() - self._started
        return self.progress.done / elapsed if elapsed > 0 else 0.0

    @property
    def left(self) -> str:
        """The time that is left at this rate, as ``0:02:10``; dashes while that is not known."""
        total, rate = self.progress.total, self.rate
        if total is None or not rate:
            return "-:--:--"
        seconds = round(max(total - self.progress.done, 0) / rate)
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"

    @property
    def pace(self) -> str:
        """Rate, time left, retries and failures, as they stand beside a bar or in a line."""
        count = self._retries()
        retries = "retry" if count == 1 else "retries"
        return f"{self.rate:.1f}/s, {self.left} left, {count} {retries}, {self.progress.failed} failed"

    def __str__(self) -> str:
        total = "?" if self.progress.total is None else self.progress.total
        return f"{self.progress.done} of {total} collections, {self.pace}"


class LineDisplay:
    """Says the first step, and then how far it is every few seconds.

    Args:
        console: Where to.
        meter: What to say.
        interval: Seconds between two lines.
        sleep: Waits that many seconds.
    """

    def __init__(
        self,
        console: Console,
        meter: Meter,
        interval: float = _INTERVAL,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._console = console
        self._meter = meter
        self._interval = interval
        self._sleep = sleep

    def update(self, progress: Progress) -> None:
        """Take the latest."""
        first = not self._meter.progress.done
        self._meter.progress = progress
        if first:
            self._say()

    @asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        """Go on saying how far it is, also while nothing moves."""
        async with _repeated(self._say, self._interval, self._sleep):
            yield

    def _say(self) -> None:
        say(self._console, str(self._meter))


class BarDisplay:
    """A bar that moves, gone at the end.

    Args:
        console: A terminal.
        meter: What stands beside the bar.
        sleep: Waits so many seconds.
    """

    def __init__(self, console: Console, meter: Meter, sleep: Sleep = asyncio.sleep) -> None:
        self._meter = meter
        self._sleep = sleep
        self._bar = Bar(
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[pace]}"),
            console=console,
            expand=True,
            transient=True,
        )
        self._task = self._bar.add_task("export", total=None, pace=meter.pace)

    def update(self, progress: Progress) -> None:
        """Take the latest."""
        self._meter.progress = progress
        self._tell()

    @asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        """Draw it, and go on saying what stands beside it, also while nothing moves."""
        with self._bar:
            async with _repeated(self._tell, _TICK, self._sleep):
                yield

    def _tell(self) -> None:
        progress = self._meter.progress
        self._bar.update(self._task, completed=progress.done, total=progress.total, pace=self._meter.pace)


@asynccontextmanager
async def _repeated(work: Callable[[], None], interval: float, sleep: Sleep) -> AsyncIterator[None]:
    async def repeat() -> None:
        while True:
            await sleep(interval)
            work()

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def shown_progress(console: Console, client: AegisClient) -> AsyncIterator[Display]:
    """Give the display that suits the console, for as long as the export runs."""
    meter = Meter(lambda: client.stats().retries)
    if console.is_terminal:
        bar = BarDisplay(console, meter)
        async with bar.shown():
            yield bar
    else:
        lines = LineDisplay(console, meter)
        async with lines.shown():
            yield lines
