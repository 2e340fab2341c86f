"""The command line: arguments in, an exit status out.

Only what ``--help`` needs is imported here; a command imports the rest when it runs.
"""

import sys
from collections.abc import Sequence

from aegis_async.cli._parser import build_parser

__all__ = ["build_parser", "main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status.

    0 complete, 1 any other error, 2 usage or configuration, 3 partial, 4 the key was refused, 130 interrupted,
    143 terminated.

    Args:
        argv: The arguments without the program's name; those of the process when None.
    """
    words = sys.argv[1:] if argv is None else argv
    try:
        try:
            options = build_parser(words).parse_args(words)
        except SystemExit as done:  # argparse has said why
            return done.code if isinstance(done.code, int) else 1
        from aegis_async.cli._process import run  # noqa: PLC0415 - asyncio and rich are not for --help

        return run(options)
    except KeyboardInterrupt:  # while modules are loaded, before there is a loop that takes signals, or after
        return 130
