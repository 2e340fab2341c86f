"""One command as a process: its loop, its signals, and the one sentence that its failure gets."""

import asyncio
import io
import logging
import os
import signal
import sys
import threading
import traceback
from argparse import Namespace
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Final, NoReturn

from aegis_async.cli._failures import sentence, status
from aegis_async.cli._terminal import OutputError, ReaderGoneError, abandon_output, error_console, logging_to, say

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["run"]

_log: Final = logging.getLogger("aegis_async")
_BY_SIGNAL: Final = 128  # what shells add to the number of the signal that ended a process
_SHOW_CURSOR: Final = b"\x1b[?25h"  # a progress bar hides it
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_GRACE: Final = 10.0  # seconds after a signal, in which an export commits; who stops it kills it some time later
_LINGER: Final = 1.0  # seconds after the end, for threads that nobody waits for: a look-up of a name, a reader of ids
_GIVEN_UP: Final = b"aegis-async: not done 10 s after the signal, so it ends; what was committed before is whole\n"


def run(options: Namespace) -> int:
    """Run the command in a loop of its own and give its exit status; every failure is said in one sentence."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a name that the terminal's encoding lacks is no reason to fail
    console = error_console()
    if sys.stdout is None:
        say(console, "aegis-async: standard output is closed")
        return 1
    with logging_to(console, verbose=options.verbose):
        try:
            supervisor = _Supervisor()
            with supervisor.listening():
                return asyncio.run(supervisor.supervise(options.run(options, console)))
        except Exception as error:  # noqa: BLE001 - nothing but a sentence may leave here
            return _failed(error, options, console)


def _failed(error: Exception, options: Namespace, console: "Console") -> int:
    if isinstance(error, OutputError):
        abandon_output()
    if isinstance(error, ReaderGoneError):
        return 0
    known = sentence(error)
    if known is None and options.verbose:
        say(console, "".join(traceback.format_exception(error)).rstrip())
    elif known is None:
        known = f"unexpected {type(error).__name__}: {error}; run again with -v for the traceback"
    if known is not None:
        say(console, f"aegis-async: {known}")
    return status(error)


class _Supervisor:
    """Turns the first signal into a cancellation, and the second, or ten seconds more, into the end.

    A command that has ended by a signal is not held up by a thread that it left behind, as a loop that closes is.
    """

    def __init__(self) -> None:
        self._signal: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._cancel: Callable[[], object] | None = None
        self._timers: list[threading.Timer] = []

    async def supervise(self, work: Awaitable[int]) -> int:
        """Wait for the command; ended by a signal, give the status that says which."""
        task = asyncio.ensure_future(work)
        self._loop, self._cancel = asyncio.get_running_loop(), task.cancel
        if self._signal is not None:
            task.cancel()
        try:
            ended = await task
        except asyncio.CancelledError:
            if self._signal is None:
                raise
            ended = _BY_SIGNAL + self._signal
        if self._signal is not None:
            self._after(_LINGER, partial(_leave, ended))
        return ended

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals while this lasts, also when the loop is busy, closed or not there yet."""
        if threading.current_thread() is not threading.main_thread():  # where no signal arrives
            yield
            return
        before = {number: signal.signal(number, self._end) for number in _SIGNALS}
        try:
            yield
        finally:
            for timer in self._timers:
                timer.cancel()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _end(self, number: int, _frame: FrameType | None) -> None:
        if self._signal is not None:
            _leave(_BY_SIGNAL + number)
        self._signal = number
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._begin_end)  # a handler may interrupt anything, so it does no more

    def _begin_end(self) -> None:
        _log.debug("signal %s: ending; another one ends at once", self._signal)
        self._after(_GRACE, self._give_up)
        if self._cancel is not None:
            self._cancel()

    def _after(self, seconds: float, then: Callable[[], object]) -> None:
        # A thread, because what keeps the command from its end may be one: a disk that does not answer.
        timer = threading.Timer(seconds, then)
        timer.daemon = True
        self._timers.append(timer)
        timer.start()

    def _give_up(self) -> None:
        _last_words(_GIVEN_UP)
        _leave(_BY_SIGNAL + (self._signal or 0))


def _leave(ended: int) -> NoReturn:
    if sys.stderr is not None and sys.stderr.isatty():
        _last_words(_SHOW_CURSOR)
    os._exit(ended)


def _last_words(text: bytes) -> None:
    if sys.stderr is not None:  # else it is closed, and its number may be that of a file of the export by now
        with suppress(OSError):  # a standard error that takes nothing keeps nobody from the end
            os.write(sys.stderr.fileno(), text)
