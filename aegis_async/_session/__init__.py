"""One call to the service: a slot, an attempt, what it means, and whether to try again."""

from aegis_async._session._attempts import closed_error
from aegis_async._session._call import Call, Options
from aegis_async._session._calls import Limits, Session
from aegis_async._session._request import Param, RawResponse, Request
from aegis_async._session._stats import ClientStats, Counts
from aegis_async._session._transport import ClientSession, Transport, Wire

__all__ = [
    "Call",
    "ClientSession",
    "ClientStats",
    "Counts",
    "Limits",
    "Options",
    "Param",
    "RawResponse",
    "Request",
    "Session",
    "Transport",
    "Wire",
    "closed_error",
]
