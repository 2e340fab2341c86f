"""What a command is, and the arguments that several of them share."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Command", "add_shared", "place"]

_BOOLEANS: Final = {"true": True, "false": False}


class Command(NamedTuple):
    """One command.

    Attributes:
        name: What is typed.
        summary: One line for the list of commands.
        description: What its own help says.
        configure: Adds its arguments.
        run: Does it and gives the exit status; told the arguments and where progress and logs go.
        asks_service: Whether it asks the service, and so takes ``--base-url``, ``--sandbox`` and the like.
    """

    name: str
    summary: str
    description: str
    configure: Callable[[ArgumentParser], None]
    run: "Callable[[Namespace, Console], Awaitable[int]]"
    asks_service: bool = True


def add_shared(parser: ArgumentParser) -> None:
    """Add ``--shared``."""
    parser.add_argument(
        "--shared",
        type=_boolean,
        metavar="true|false",
        help="true: only those shared with you, false: only your own (default: all you can access)",
    )


def place(text: str) -> str:
    """Give where an export is; nothing, as a variable that is not set is, would be the folder one is in."""
    if not text:
        raise ArgumentTypeError("must not be empty")
    return text


def _boolean(text: str) -> bool:
    if text not in _BOOLEANS:
        raise ArgumentTypeError(f"must be true or false, not {text!r}")
    return _BOOLEANS[text]
