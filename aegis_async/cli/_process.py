"""One command as a process: its loop, its signals, and the one sentence that its failure gets."""

import asyncio
import io
import os
import signal
import sys
import threading
import traceback
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Final

from aegis_async.cli._failures import sentence, status
from aegis_async.cli._terminal import OutputError, abandon_output, error_console, logging_to, say

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["run"]

_BY_SIGNAL: Final = 128  # what shells add to the number of the signal that ended a process
_SHOW_CURSOR: Final = "\x1b[?25h"


def run(options: Namespace) -> int:
    """Run the command in a loop of its own and give its exit status; every failure is said in one sentence."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a name that the terminal's encoding lacks is no reason to fail
    console = error_console()
    with logging_to(console, verbose=options.verbose):
        try:
            return asyncio.run(_Supervisor(console).supervise(options))
        except Exception as error:  # noqa: BLE001 - nothing but a sentence may leave here
            return _failed(error, options, console)


def _failed(error: Exception, options: Namespace, console: "Console") -> int:
    if isinstance(error, OutputError):
        abandon_output()
        if isinstance(error.__cause__, BrokenPipeError):  # "| head" has what it wanted
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
    """Turns the first signal into a cancellation and the second into the end.

    Args:
        console: Told of the first signal.
    """

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._signal: int | None = None

    async def supervise(self, options: Namespace) -> int:
        """Run the command; ended by a signal, give the status that says which."""
        task = asyncio.current_task()
        if task is not None and threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                _on_signal(number, partial(self._end, task, number))
        try:
            result: int = await options.run(options, self._console)
        except asyncio.CancelledError:
            if self._signal is None:
                raise
            return _BY_SIGNAL + self._signal
        return result

    def _end(self, task: "asyncio.Task[object]", number: int) -> None:
        if self._signal is not None:
            if sys.stderr.isatty():
                sys.stderr.write(_SHOW_CURSOR)
                sys.stderr.flush()
            os._exit(_BY_SIGNAL + number)
        self._signal = number
        task.cancel()


def _on_signal(number: int, act: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(number, act)  # ends with the loop, so that a second signal counts to the last
    except NotImplementedError:  # Windows

        def pass_on(_number: int, _frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(act)

        signal.signal(number, pass_on)
