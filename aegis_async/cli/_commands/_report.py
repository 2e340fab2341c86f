"""``aegis-async report OUT``: the pictures of an export in one HTML file."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Final

from aegis_async.cli._command import Command, place

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["REPORT"]


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("out", type=place, metavar="OUT", help="the folder of a finished export")
    parser.add_argument("--file", metavar="FILE", help="where to write it (default: OUT/report.html)")


async def _run(options: Namespace, console: "Console") -> int:
    import asyncio  # noqa: PLC0415 - not for --help
    from pathlib import Path  # noqa: PLC0415 - likewise

    from aegis_async.cli._terminal import say  # noqa: PLC0415 - likewise
    from aegis_async.dashboard import write_report  # noqa: PLC0415 - likewise
    from aegis_async.export._stores import place_in  # noqa: PLC0415 - likewise

    file = Path(place_in(options.out, "report.html") if options.file is None else options.file)
    await asyncio.to_thread(write_report, options.out, file)
    say(console, f"wrote {file}; open it in a browser")
    return 0


REPORT: Final = Command(
    name="report",
    summary="write the pictures of an export into one HTML file",
    description="""\
Write what the dashboard shows of a finished export into one HTML file that
needs no server and no network: it can be sent, archived and opened anywhere.""",
    configure=_configure,
    run=_run,
    asks_service=False,
)
