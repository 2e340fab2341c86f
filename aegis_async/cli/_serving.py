"""The dashboard as a command: a source, a socket, and a server that ends when it is told to."""

import asyncio
import socket
from argparse import Namespace
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
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

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_MOST_PORTS: Final = 65_535
_GRACE: Final = 3  # seconds for answers that are under way when it ends


async def run_dashboard(options: Namespace, console: Console) -> int:
    """Serve the page until it is interrupted."""
    integer("--port", options.port, minimum=0, maximum=_MOST_PORTS)
    seconds("--interval", options.interval)
    async with _source(options) as source:
        with _listening(options.host, options.port) as listener:
            say(console, f"dashboard at {_address(options.host, listener)}; Ctrl-C ends it")
            await _serve(source, options.host, listener)
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
    async with connected(options, cache=Cache()) as client, LiveSource(client, interval=options.interval) as live:
        yield live


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Listen before anything is said, so that a port in use is one sentence."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.create_server(address[:2], family=family)
    except OSError as error:
        complaint = error
    else:
        with listener:
            yield listener
        return
    raise OSError(complaint.errno, f"the dashboard cannot listen on {host}:{port}: {complaint.strerror}")


def _address(host: str, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


async def _serve(source: "Source", host: str, listener: socket.socket) -> None:
    import uvicorn  # noqa: PLC0415 - what the extra brings

    from aegis_async.dashboard import dashboard  # noqa: PLC0415 - likewise
    from aegis_async.dashboard._headers import Hosts  # noqa: PLC0415 - likewise

    app = dashboard(source)
    if host in _LOOPBACK:
        app = Hosts(app, frozenset({*_LOOPBACK, "[::1]"}))
    config = uvicorn.Config(
        app, lifespan="off", log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=_GRACE
    )
    server = uvicorn.Server(config)
    server.capture_signals = _no_signals  # type: ignore[method-assign]  # the process takes them already
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:  # by a signal, which is how a server ends
        source.bell.silence()
        server.should_exit = True
        await serving


@contextmanager
def _no_signals() -> Iterator[None]:
    yield
