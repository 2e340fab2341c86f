"""The parser: what is common to the commands, and each command's own part from the table."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter, _ArgumentGroup
from collections.abc import Sequence
from typing import Final

from aegis_async._version import __version__
from aegis_async.cli._commands import COMMANDS, Command

__all__ = ["build_parser"]

_KEY: Final = """\
The key comes from AEGIS_API_KEY alone: a command line can be read by every
user of the machine. AEGIS_BASE_URL says where the service is. With --sandbox
neither is needed."""

_STATUS: Final = """\
exit status:
  0    complete
  1    any other error
  2    usage or configuration
  3    partial: what is missing is listed
  4    the key was refused
  130  interrupted
  143  terminated"""


def build_parser(argv: Sequence[str] | None = None) -> ArgumentParser:
    """Give the parser of every command, as the documentation shows it too.

    With the arguments to be parsed, the options of the commands that they do not name are left out: from Python 3.14
    on argparse reads an option's choices when it is added, and those of an export are not for the help of others.
    """
    parser = ArgumentParser(
        prog="aegis-async",
        description=f"List, fetch and export LLM evaluation records from Aegis.\n\n{_KEY}",
        epilog=_STATUS,
        formatter_class=RawDescriptionHelpFormatter,
    )
    _add_version(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for command in COMMANDS:
        own = commands.add_parser(
            command.name,
            help=command.summary,
            description=command.description,
            epilog=f"{_KEY}\n\n{_STATUS}" if command.asks_service else _STATUS,
            formatter_class=RawDescriptionHelpFormatter,
        )
        own.set_defaults(run=command.run)
        if argv is None or command.name in argv:
            command.configure(own)
            _add_common(own, command)
    return parser


def _add_common(parser: ArgumentParser, command: Command) -> None:
    if command.asks_service:
        _add_service(parser.add_argument_group("service"))
        _add_sandbox(parser.add_argument_group("trying it without a key"))
    parser.add_argument("-v", "--verbose", action="store_true", help="log every attempt, and tracebacks of surprises")
    _add_version(parser)


def _add_service(group: _ArgumentGroup) -> None:
    group.add_argument("--base-url", metavar="URL", help="where the service is (default: AEGIS_BASE_URL)")
    group.add_argument("--timeout", type=float, metavar="SECONDS", help="limit of one attempt (default: 60)")
    group.add_argument(
        "--max-attempts", type=int, metavar="N", help="attempts for one request, 1 for no retries (default: 4)"
    )
    group.add_argument(
        "--rate-limit", type=float, metavar="R", help="requests a second at most (default: no bound but the slots)"
    )


def _add_sandbox(group: _ArgumentGroup) -> None:
    group.add_argument("--sandbox", action="store_true", help="ask a made-up account, served by this process itself")
    group.add_argument(
        "--sandbox-collections", type=int, default=300, metavar="N", help="its size (default: %(default)s)"
    )
    group.add_argument(
        "--sandbox-seed", type=int, default=0, metavar="N", help="decides its content (default: %(default)s)"
    )


def _add_version(parser: ArgumentParser) -> None:
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}", help="print the version")
