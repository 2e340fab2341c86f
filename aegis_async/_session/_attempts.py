"""One attempt after the other: past the gate, on the wire, and what came of it."""

import asyncio
import logging
import time
from typing import Final, TypeVar, cast

from aegis_async._clock import Clock
from aegis_async._limits import Gate
from aegis_async._session._call import Call, Timings
from aegis_async._session._request import RawResponse
from aegis_async._session._stats import Counts
from aegis_async._session._status import masked, status_error
from aegis_async._session._transport import Transport
from aegis_async._session._watch import Watch
from aegis_async.errors import (
    AegisError,
    ClientClosedError,
    DeadlineExceededError,
    DecodeError,
    RequestError,
    RequestTimeoutError,
    StatusError,
)

__all__ = ["Attempts", "closed_error"]

T = TypeVar("T")
E = TypeVar("E", RequestError, StatusError, DecodeError)

log: Final = logging.getLogger("aegis_async")

_NOT_MODIFIED: Final = 304
_PAUSING: Final = frozenset({429, 503})  # with Retry-After they speak of the whole service, not of one request


class Attempts:
    """The attempts of one client in one event loop.

    Attributes:
        gate: What every attempt passes.
        closed: Whether none may begin any more.
    """

    def __init__(self, gate: Gate, transport: Transport, clock: Clock, counts: Counts, watch: Watch | None) -> None:
        self.gate: Gate = gate
        self.closed: bool = False
        self._transport = transport
        self._clock = clock
        self._counts = counts
        self._watch = watch

    async def watched(self, call: Call[T], watch: Watch) -> T:
        """Do the same as ``make``, and tell what came of it."""
        try:
            result = await self.make(call)
        except BaseException as error:
            watch.ended(call, error)
            raise
        watch.ended(call, None)
        return result

    async def make(self, call: Call[T]) -> T:
        """Make one attempt, and give its decoded answer.

        Raises:
            AegisError: What the attempt ended with.
            DeadlineExceededError: It could not be begun or ended in time.
            ClientClosedError: The client was closed before it began.
        """
        gate = self.gate
        timings = call.timings = Timings() if self._watch or gate.adapts else None
        if not gate.try_enter(bulk=call.bulk):
            await self._wait_at(gate, call)
        try:
            total = self._begin(call)
            raw = await self._transport.send(call.request, call.options.timeout, total, timings)
        except RequestError as error:
            raise self._no_answer(error, call) from None
        finally:
            gate.leave(bulk=call.bulk)
        if self._is_unchanged(raw, call):
            return cast("T", None)  # who sent an ETag knows
        begun = time.monotonic() if timings else 0.0
        try:
            if call.size > call.decode.cut_above:
                return await call.decode.in_pieces(raw.body)
            return call.decode(raw.body)
        except DecodeError as error:
            fault = error
        finally:
            if timings:
                timings.decode = time.monotonic() - begun
        fault.args = (f"{fault} ({call.request})",)
        raise self._placed(masked(fault, self._transport.key), call)

    async def _wait_at(self, gate: Gate, call: Call[T]) -> None:
        begun = self._clock.monotonic()
        call.phase = "pause" if gate.held else "slot"
        try:
            async with asyncio.timeout(call.deadline.at - begun if call.deadline else None):
                await gate.enter(call)
        except DeadlineExceededError:
            raise
        except TimeoutError:
            late = True
        else:
            late = False
        finally:
            self._count_wait(call, self._clock.monotonic() - begun)
        if late and call.deadline:
            raise call.deadline.error(call.request, call.phase, call.attempts)

    def _count_wait(self, call: Call[T], waited: float) -> None:
        if call.phase == "pause":
            self._counts.waited_pause += waited
        else:
            self._counts.waited_slot += waited
        if call.timings:
            call.timings.slot = waited

    def _begin(self, call: Call[T]) -> float | None:
        """Begin an attempt, and give the seconds left for it where the deadline leaves fewer than its limit."""
        if self.closed:
            raise closed_error()
        deadline, left = call.deadline, None
        if deadline is not None:
            left = deadline.at - self._clock.monotonic()
            if left <= 0:
                raise deadline.error(call.request, call.phase, call.attempts)
        call.begin(cut=left is not None and left < call.options.timeout.attempt)
        self._counts.attempts += 1
        if call.attempts > 1:
            self._counts.retries += 1
        if self._watch:
            self._watch.began(call)
        return left if call.cut else None

    def _no_answer(self, error: RequestError, call: Call[T]) -> AegisError:
        if isinstance(error, RequestTimeoutError):
            self.gate.refused(_latency(call))
            if call.cut and call.deadline and error.phase == "attempt":
                return call.deadline.error(call.request, "attempt", call.attempts)
        return self._placed(error, call)

    def _is_unchanged(self, raw: RawResponse, call: Call[T]) -> bool:
        """Take note of an answer, and tell whether it is the one that the caller has already.

        Raises:
            StatusError: It is no result.
        """
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s: %d %s", call.request, raw.status, call.which)
        call.size = len(raw.body)
        self._counts.size += call.size
        if self._watch:
            self._watch.answered(call, raw)
        if not raw.ok:
            if raw.status == _NOT_MODIFIED and call.request.etag is not None:
                return True
            raise self._refusal(raw, call)
        if call.keeps_etag:
            call.etag = _sendable(raw.headers.get("ETag"))
        if self.gate.adapts:
            self.gate.answered(_latency(call))
        return False

    def _refusal(self, raw: RawResponse, call: Call[T]) -> StatusError:
        error = masked(status_error(raw, call.request, self._clock.now()), self._transport.key)
        if error.status in _PAUSING:
            self.gate.refused(_latency(call))
            if error.retry_after:
                self.gate.pause(min(error.retry_after, call.options.retry.max_retry_after))
        return self._placed(error, call)

    def _placed(self, error: E, call: Call[T]) -> E:
        """Give ``error`` with the attempt that it ended."""
        error.attempts = call.attempts
        error.args = (f"{error} {call.which}",)
        if isinstance(error, RequestError):
            log.debug("%s", error)
        return error


def closed_error() -> ClientClosedError:
    """Give the error of whoever uses a closed client."""
    return ClientClosedError("the client is closed: make a new one")


def _sendable(etag: str | None) -> str | None:
    # Beyond ASCII a header need not arrive as it was sent, and half a character makes aiohttp refuse the request.
    return etag if etag and etag.isascii() and etag.isprintable() else None


def _latency(call: Call[T]) -> float:
    return (call.timings and call.timings.first_byte) or 0.0
