"""``aegis-async dashboard``: the page over the service, a sandbox or an export."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Final

from aegis_async.cli._command import Command, place

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["DASHBOARD"]


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument(
        "out",
        type=place,
        nargs="?",
        metavar="OUT",
        help="the folder of a finished export to show (default: ask the service)",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", metavar="HOST", help="the address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--port", type=int, default=8765, metavar="N", help="the port, 0 for a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--interval",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="within which a change in the service is shown (default: %(default)s)",
    )


async def _run(options: Namespace, console: "Console") -> int:
    from aegis_async.cli._serving import run_dashboard  # noqa: PLC0415 - not for --help

    return await run_dashboard(options, console)


DASHBOARD: Final = Command(
    name="dashboard",
    summary="show pass rates, scores, costs and failures in a browser",
    description="""\
Serve a page with pass rates by model and day, scores, costs, durations and
the runs that fell below their threshold, over the service, or over a finished
export OUT. It listens on loopback unless --host says otherwise, asks nobody
who they are, and goes on until Ctrl-C, which gives exit status 0.""",
    configure=_configure,
    run=_run,
)
