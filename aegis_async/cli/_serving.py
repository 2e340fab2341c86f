"""The dashboard as a command: a source, a socket, and a server that ends when it is told to."""

import asyncio
import socket
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from rich.console import Console

from aegis_async._arguments import integer, seconds
from aegis_async._cache import Cache
from aegis_async.cli._connect import connected
from aegis_async.cli._terminal import say
from aegis_async.errors import ConfigurationError

if TYPE_CHECKING:
    from aegis_async.dashboard import Source

__all__ = ["run_dashboard"]

_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
_MOST_PORTS: Final = 65_535


async def run_dashboard(options: Namespace, console: Console) -> int:
    """Serve the page until it is interrupted."""
    integer("--port", options.port, minimum=0, maximum=_MOST_PORTS)
    seconds("--interval", options.interval)
    async with _source(options) as source:
        from aegis_async.dashboard._server import listening, serve  # noqa: PLC0415 - what the extra brings

        with listening(options.host, options.port) as listener:
            say(console, f"dashboard at {_address(options.host, listener)}; Ctrl-C ends it")
            try:
                await serve(source, listener, _names(options.host, listener))
            except asyncio.CancelledError:  # by a signal, which is how a server ends
                return 0
    return 0


@asynccontextmanager
async def _source(options: Namespace) -> AsyncIterator["Source"]:
    from aegis_async.dashboard import ExportSource, LiveSource, dashboard  # noqa: PLC0415 - what the extra brings

    del dashboard  # asked for here, so that a missing extra is said before anything is begun
    if options.out is not None:
        if options.sandbox or options.base_url is not None:
            raise ConfigurationError("OUT excludes --sandbox and --base-url")
        async with ExportSource(options.out) as exported:
            yield exported
        return
    cache = Cache(ttl=min(options.interval, 30.0))  # a collection is no older than the rest of the page
    async with connected(options, cache=cache) as client, LiveSource(client, interval=options.interval) as live:
        yield live


def _address(host: str, listener: socket.socket) -> str:
    return f"http://{_in_a_url(host)}:{listener.getsockname()[1]}/"


def _names(host: str, listener: socket.socket) -> frozenset[str] | None:
    """Give what it may be called on loopback, so that no site can read it under a name of its own; elsewhere None."""
    address = listener.getsockname()[0]
    if not ip_address(address).is_loopback:
        return None
    return _NAMES | {_in_a_url(host.lower()), _in_a_url(address)}


def _in_a_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
