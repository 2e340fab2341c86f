"""``aegis-async get ID``: one collection as the service sent it."""

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Final

from aegis_async.cli._command import Command

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["GET"]


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("id", type=int, metavar="ID", help="the collection's id, from 1")


async def _run(options: Namespace, console: "Console") -> int:
    from aegis_async.cli._body import fetched_body, indented  # noqa: PLC0415 - not for --help
    from aegis_async.cli._connect import connected  # noqa: PLC0415 - likewise
    from aegis_async.cli._terminal import write_out  # noqa: PLC0415 - likewise

    del console
    async with connected(options) as client:
        found = await fetched_body(client, options.id)
    if not sys.stdout.isatty():
        await write_out(found.body)
    if found.error is not None:
        raise found.error
    if sys.stdout.isatty():
        await write_out(indented(found.body))
    return 0


GET: Final = Command(
    name="get",
    summary="print one data collection in full",
    description="""\
Print one data collection in full: indented JSON on a terminal, in a pipe the
bytes as the service sent them.""",
    configure=_configure,
    run=_run,
)
