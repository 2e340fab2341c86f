"""One call to the service: a slot, an attempt, what it means, and whether to try again."""

from aegis_async._session._calls import Options, Session
from aegis_async._session._request import Param, RawResponse, Request
from aegis_async._session._transport import ClientSession, Transport, Wire

__all__ = ["ClientSession", "Options", "Param", "RawResponse", "Request", "Session", "Transport", "Wire"]
