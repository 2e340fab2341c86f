"""Where output goes: data to standard output, progress and logs to standard error, each with its own faults."""

import asyncio
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Final, TextIO, cast

from rich.console import Console

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = [
    "OutputError",
    "ReaderGoneError",
    "abandon_output",
    "error_console",
    "logging_to",
    "one_line",
    "plain",
    "print_out",
    "say",
    "write_out",
]

_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


class OutputError(OSError):
    """Standard output takes no more, as on a full disk."""


class ReaderGoneError(OutputError):
    """The reader of standard output has what it wanted, as ``head`` has."""


def plain(text: str) -> str:
    """Give ``text`` without what could steer a terminal; line ends stay."""
    return "".join(c if c.isprintable() or c == "\n" else _REPLACEMENT for c in text)


def one_line(text: str) -> str:
    """Give somebody's words on one line, so that none of them poses as a line of ours."""
    return " ".join(text.split())


def error_console() -> Console:
    """Give the console of standard error, which alone writes there, so that no line tears a progress bar."""
    file = None if sys.stderr is None else cast("IO[str]", _Unheard(sys.stderr))
    return Console(file=file, stderr=True, highlight=False)


class _Unheard:
    """Standard error, of which what cannot be written is dropped: a full disk of the log must not end an export."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def say(console: Console, text: str) -> None:
    """Print a sentence as it is: not wrapped, and no brackets taken for styles."""
    console.print(plain(text), markup=False, soft_wrap=True)


async def write_out(data: bytes) -> None:
    """Write bytes to standard output, in a thread: a slow reader must not hold up the loop, nor Ctrl-C.

    Raises:
        OutputError: They cannot be written.
        ReaderGoneError: Nobody reads them.
    """
    if data:
        await asyncio.to_thread(_write, data)


def print_out(what: "RenderableType") -> None:
    """Print for people on standard output.

    Raises:
        OutputError: It cannot be written.
        ReaderGoneError: Nobody reads it.
    """
    console = Console(highlight=False)
    with console.capture() as shown:  # by itself it would take a reader that is gone for the end of the program
        console.print(what)
    with _output():
        sys.stdout.write(shown.get())


def abandon_output() -> None:
    """Let what is still buffered go nowhere, so that the interpreter's own last flush finds no fault again."""
    with suppress(OSError, ValueError):  # a standard output without a file needs none of it
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _write(data: bytes) -> None:
    with _output():
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


@contextmanager
def _output() -> Iterator[None]:
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        kind = ReaderGoneError if isinstance(error, BrokenPipeError) else OutputError
        raise kind(error.errno, f"cannot write to standard output: {error.strerror or error}") from error


class _ConsoleHandler(logging.Handler):
    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        say(self._console, f"{record.levelname.lower()}: {one_line(record.getMessage())}")


@contextmanager
def logging_to(console: Console, *, verbose: bool) -> Iterator[None]:
    """Show the package's warnings, or all of its log, while this lasts."""
    log = logging.getLogger("aegis_async")
    before = log.level
    handler = _ConsoleHandler(console)
    log.addHandler(handler)
    log.setLevel(logging.DEBUG if verbose else logging.WARNING)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)
