"""A server for the page alone, where there is no app of one's own to mount it in."""

import asyncio
import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn

from aegis_async.dashboard._app import dashboard
from aegis_async.dashboard._headers import Hosts
from aegis_async.dashboard._source import Source

__all__ = ["listening", "serve"]

_GRACE: Final = 3  # seconds for answers that are under way when it ends


def listening(host: str, port: int) -> socket.socket:
    """Listen, before anything is said of it, so that a port in use is one sentence.

    Raises:
        OSError: The address cannot be listened on.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return _bound(socket.socket(family, kind, protocol), address)  # without a protocol asyncio keeps Nagle's delay
    except OSError as error:
        number, reason = error.errno, error.strerror
    except UnicodeError:  # of the codec for names, which checks the length of each part
        number, reason = errno.EINVAL, "it is no valid name"
    raise OSError(number, f"the dashboard cannot listen on {host}:{port}: {reason}")


def _bound(listener: socket.socket, address: tuple[object, ...]) -> socket.socket:
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # the process has its own way with signals


async def serve(source: Source, listener: socket.socket, hosts: frozenset[str] | None = None) -> None:
    """Serve the page until this is cancelled, then end every stream and wait for what is under way.

    Args:
        source: What to show.
        listener: A socket that listens.
        hosts: The names that requests may use for this server; None for any.
    """
    app = dashboard(source)
    config = uvicorn.Config(
        app if hosts is None else Hosts(app, hosts),
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
    )
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        source.bell.silence()
        server.should_exit = True
        await serving
        raise
