"""Between the service as a function and the network: records, faults, compression, bytes."""

import asyncio
import math
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from types import MappingProxyType
from typing import Final

from aiohttp import web

from aegis_async.sandbox._allowance import Allowance
from aegis_async.sandbox._capacity import Capacity
from aegis_async.sandbox._faults import Fault, FaultPlan
from aegis_async.sandbox._service import Answer, Question, refusal

PREFIX: Final = "/api/v1"

_WORTH_COMPRESSING: Final = 1_024  # bytes
_BYTES_PER_TURN: Final = 65_536  # drawn before others on the loop may run: a few milliseconds' worth
_GZIP: Final = 31  # wbits: the largest window, with gzip's header
_BODILESS: Final = frozenset({204, 205, 304})
_LINGER_NOT: Final = struct.pack("ii", 1, 0)  # closing then sends a reset
_PHRASES: Final = MappingProxyType(
    {
        408: "Request timed out",
        429: "Too many requests",
        500: "Internal server error",
        502: "Bad gateway",
        503: "Service unavailable",
        504: "Gateway timeout",
    }
)

_TOO_MUCH: Final = Fault(path="*", status=429, retry_after=None, delay=0.0, cut_body=None, reset=False, body=None)


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request as it arrived.

    Attributes:
        method: ``GET`` and so on.
        path: As sent, still quoted, relative to the sandbox's ``url`` (``/data-collections/14``).
        query: The parameters, unquoted; the last of equal names, as the service reads them.
        status: The status of the answer, or None while there is none and where the connection was reset
            before one.
        at: When it arrived, in seconds of `time.monotonic`.
        key: The place in the sandbox's ``api_keys`` of the key that it came with; None for any other.
    """

    method: str
    path: str
    query: Mapping[str, str]
    status: int | None
    at: float
    key: int | None = None


@dataclass(slots=True)
class Log:
    """Every request so far, in the order of arrival; reading and clearing may be done from any thread."""

    _records: dict[int, RecordedRequest] = field(default_factory=dict)
    _places: Iterator[int] = field(default_factory=count)

    def arrived(self, record: RecordedRequest) -> int:
        """Note a request, and give the place under which it stands."""
        place = next(self._places)
        self._records[place] = record
        return place

    def answered(self, place: int, status: int) -> None:
        """Note the status of an answer."""
        if record := self._records.get(place):
            self._records[place] = replace(record, status=status)

    def records(self) -> list[RecordedRequest]:
        """List the requests so far."""
        return list(self._records.values())

    def clear(self) -> None:
        """Forget the requests so far."""
        self._records.clear()


class Wire:
    """Answers HTTP requests with what the service says, or with what a fault says instead.

    Args:
        service: Answers a question.
        faults: Asked once for each request.
        log: Told of each request.
        latency: Seconds before every answer.
        capacity: Places for requests.
        allowance: How many each key may make.
        keys: Keys that the log tells apart, each with its place.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a server
        self,
        service: Callable[[Question], Answer],
        faults: FaultPlan,
        log: Log,
        latency: float,
        capacity: Capacity,
        allowance: Allowance,
        keys: Mapping[str, int],
    ) -> None:
        self._service = service
        self._faults = faults
        self._log = log
        self._latency = latency
        self._capacity = capacity
        self._allowance = allowance
        self._keys = {f"Bearer {key}": place for key, place in keys.items()}
        self._busy: set[asyncio.Task[object]] = set()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - aiohttp runs each handler in a task
        self._busy.add(task)
        try:
            return await self._handle(request)
        finally:
            self._busy.discard(task)

    async def abandon(self) -> None:
        """End the requests that are still being answered, and wait for their end."""
        busy = list(self._busy)
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.raw_path.partition("?")[0].removeprefix(PREFIX)
        query = MappingProxyType(dict(request.query.items()))
        authorization = request.headers.get("Authorization", "")
        key = self._keys.get(authorization)
        place = self._log.arrived(RecordedRequest(request.method, path, query, None, time.monotonic(), key))
        wait = self._allowance.wait(authorization)
        if wait:
            return await self._respond(request, query, place, replace(_TOO_MUCH, retry_after=str(math.ceil(wait))))
        async with self._capacity.place() as served:
            if not served:
                return await self._respond(request, query, place, _TOO_MUCH)
            fault = self._faults.take(path)
            await asyncio.sleep(self._latency + (fault.delay if fault else 0.0))
            return await self._respond(request, query, place, fault)

    async def _respond(
        self, request: web.BaseRequest, query: Mapping[str, str], place: int, fault: Fault | None
    ) -> web.StreamResponse:
        if fault and fault.reset and fault.cut_body is None:
            return _reset(request)
        answer = self._answer(request, query, fault)
        body = b"" if answer.status in _BODILESS else await _collected(answer.body)
        self._log.answered(place, answer.status)
        headers = _headers(answer, body, place)
        if len(body) > _WORTH_COMPRESSING and _takes_gzip(request.headers.get("Accept-Encoding", "")):
            headers["Content-Encoding"] = "gzip"
            body = await _compressed(body)
        if fault and fault.cut_body is not None:
            return await _cut(request, answer.status, headers, body, fault)
        return web.Response(status=answer.status, headers=headers, body=body)

    def _answer(self, request: web.BaseRequest, query: Mapping[str, str], fault: Fault | None) -> Answer:
        if fault is None:
            return self._ask(request, query)
        # A scripted status stands for a proxy or a failure: the service itself is not asked, nothing drifts.
        if fault.status is None:
            answer = self._ask(request, query)
        else:
            answer = refusal(fault.status, _PHRASES.get(fault.status, "Scripted by the sandbox"))
        wait = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
        body = answer.body if fault.body is None else iter([fault.body])
        return Answer(answer.status, body, {**answer.headers, **wait})

    def _ask(self, request: web.BaseRequest, query: Mapping[str, str]) -> Answer:
        if not request.path.startswith(PREFIX):
            return refusal(404, "Not Found")
        path = request.path.removeprefix(PREFIX)
        return self._service(Question(request.method, path, query, request.headers.get("Authorization")))


async def _collected(pieces: Iterator[bytes]) -> bytes:
    taken = bytearray()
    turn = _BYTES_PER_TURN
    for piece in pieces:
        taken += piece
        if len(taken) >= turn:
            turn = len(taken) + _BYTES_PER_TURN
            await asyncio.sleep(0)
    return bytes(taken)


async def _compressed(body: bytes) -> bytes:
    packer = zlib.compressobj(level=1, wbits=_GZIP)
    packed = bytearray()
    for start in range(0, len(body), _BYTES_PER_TURN):
        packed += packer.compress(body[start : start + _BYTES_PER_TURN])
        await asyncio.sleep(0)
    return bytes(packed + packer.flush())


def _headers(answer: Answer, body: bytes, place: int) -> dict[str, str]:
    known = {"x-request-id": f"req_{place:08x}", "Vary": "Accept-Encoding"}
    kind = "text/html" if body.lstrip().startswith(b"<") else "application/json"
    described = {} if answer.status in _BODILESS else {"Content-Type": kind}
    return {**known, **described, **answer.headers}


def _takes_gzip(accepted: str) -> bool:
    codings = {name.strip(): weight for name, _, weight in (one.partition(";") for one in accepted.split(","))}
    return "gzip" in codings and codings["gzip"].strip() not in {"q=0", "q=0.0"}


async def _cut(
    request: web.BaseRequest, status: int, headers: Mapping[str, str], body: bytes, fault: Fault
) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = len(body)
    with suppress(ConnectionError):  # the client may be gone already
        await response.prepare(request)
        await response.write(body[: fault.cut_body])
    if fault.reset:
        return _reset(request)
    if request.transport is not None:
        request.transport.close()
    return response


def _reset(request: web.BaseRequest) -> web.StreamResponse:
    if request.transport is not None:
        opened = request.transport.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        request.transport.abort()
    return web.Response()
