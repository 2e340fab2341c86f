"""``aegis-async verify OUT``: whether an export is what its commits say."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Final

from aegis_async.cli._command import Command, add_shared, place

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["VERIFY"]


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("out", type=place, metavar="OUT", help="the folder or URL of an export")
    parser.add_argument(
        "--against-service",
        action="store_true",
        help="compare with a fresh listing too; nothing else needs the service",
    )
    add_shared(parser)


async def _run(options: Namespace, console: "Console") -> int:
    from aegis_async.cli._verifying import run_verify  # noqa: PLC0415 - not for --help

    del console
    return await run_verify(options)


VERIFY: Final = Command(
    name="verify",
    summary="check that an export is whole",
    description="""\
Check the sums, counts, keys and references of an export, and that it holds as
many collections as its listing had. Ends with 1 and a line for each fault.""",
    configure=_configure,
    run=_run,
)
