"""``aegis-async sandbox``: a made-up account served on loopback, for other processes to ask."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Final

from aegis_async.cli._command import Command

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["SANDBOX"]

_REMEMBERED: Final = 60.0  # seconds; nobody can ask this process for the requests that it served


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=0, metavar="N", help="the port to listen on (default: a free one)")
    parser.add_argument("--collections", type=int, default=300, metavar="N", help="size (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="decides the content (default: %(default)s)")
    parser.add_argument(
        "--latency", type=float, default=0.0, metavar="SECONDS", help="before every answer (default: %(default)s)"
    )


async def _run(options: Namespace, console: "Console") -> int:
    import asyncio  # noqa: PLC0415 - not for --help

    from aegis_async.cli._connect import made_sandbox  # noqa: PLC0415 - likewise
    from aegis_async.cli._terminal import say, write_out  # noqa: PLC0415 - likewise

    sandbox = made_sandbox(
        collections=options.collections, seed=options.seed, port=options.port, latency=options.latency
    )
    async with sandbox:
        await write_out("".join(f"export {name}={value}\n" for name, value in sandbox.env.items()).encode())
        say(console, f"{options.collections} collections at {sandbox.url}; Ctrl-C ends it")
        try:
            while True:
                await asyncio.sleep(_REMEMBERED)
                sandbox.clear_requests()
        except asyncio.CancelledError:  # by a signal, which is how a server ends
            return 0
    return 0


SANDBOX: Final = Command(
    name="sandbox",
    summary="serve a made-up account on loopback",
    description="""\
Serve a made-up account on loopback, print the two variables that point a
client at it, and go on until Ctrl-C, which gives exit status 0.""",
    configure=_configure,
    run=_run,
    asks_service=False,
)
