"""The connections that are kept between requests: nothing that comes on an idle one is read, or kept."""

import asyncio

import aiohttp
from aiohttp import ClientRequest, ClientTimeout
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from aegis_async._session._timeouts import Timeouts

__all__ = ["Pool"]


class Pool(aiohttp.TCPConnector):
    """A pool that gives no connection on which the service has spoken unasked.

    Args:
        timeouts: Told when the current task's attempt has its connection.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        super().__init__(limit=0)
        self._timeouts = timeouts

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout) -> Connection:
        """Give a connection to where ``req`` goes, a kept one if there is one."""
        connection = await super().connect(req, traces, timeout)
        # aiohttp would take an answer that came while the connection was idle for that of the next request.
        while connection.protocol is not None and len(connection.protocol):
            connection.close()
            connection = await super().connect(req, traces, timeout)
        _guard(connection)
        self._timeouts.connected()
        return connection


class _Guard(asyncio.Protocol):
    """Stands before aiohttp's own protocol of one connection, and ends what is spoken on while nobody has it.

    aiohttp would read on, and keep all of it until the keep-alive ends.

    Attributes:
        loan: Who has it, or had it last.
    """

    def __init__(self, loan: Connection, handler: ResponseHandler) -> None:
        self.loan: Connection = loan
        self._handler = handler

    def data_received(self, data: bytes) -> None:
        if self.loan.protocol is not None:
            self._handler.data_received(data)
        elif self._handler.transport is not None:  # it was given back
            self._handler.transport.abort()

    def eof_received(self) -> None:
        self._handler.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._handler.connection_lost(exc)

    def pause_writing(self) -> None:
        self._handler.pause_writing()

    def resume_writing(self) -> None:
        self._handler.resume_writing()


def _guard(loan: Connection) -> None:
    handler, transport = loan.protocol, loan.transport
    if handler is None or transport is None:  # it has ended already, as the request will find
        return
    guard = transport.get_protocol()
    if isinstance(guard, _Guard):
        guard.loan = loan
    else:
        transport.set_protocol(_Guard(loan, handler))
