"""One call: a slot, an attempt, what its answer means, and whether to try again."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final, TypeVar

from aegis_async._clock import Clock
from aegis_async._config import RetryPolicy, Timeout
from aegis_async._decode import Decode
from aegis_async._limits import Slots
from aegis_async._retry import Retry
from aegis_async._session._request import Request
from aegis_async._session._status import masked, status_error
from aegis_async._session._transport import Transport, Wire
from aegis_async._tasks import TaskOwner
from aegis_async.errors import AegisError, ClientClosedError, ConfigurationError, DecodeError

__all__ = ["Options", "Session"]

T = TypeVar("T")

log: Final = logging.getLogger("aegis_async")


@dataclass(frozen=True, slots=True)
class Options:
    """What a view on the client may change for its calls.

    Attributes:
        timeout: Of one attempt.
        retry: How often and after how long a failed attempt is made again.
    """

    timeout: Timeout
    retry: RetryPolicy


class Session:
    """The calls of one client: everything between a request and its decoded answer.

    Bound to the event loop of its first call; when that loop is closed, the next loop starts anew.
    """

    def __init__(self, wire: Wire, max_concurrency: int, clock: Clock) -> None:
        self.base: str = str(wire.base_url)
        self._wire = wire
        self._max_concurrency = max_concurrency
        self._clock = clock
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: TaskOwner
        self._slots: Slots
        self._transport: Transport

    @property
    def closed(self) -> bool:
        """Whether ``aclose()`` was called."""
        return self._closed

    @property
    def opened(self) -> bool:
        """Whether there is anything to close: a call was made, and no ``aclose()`` since."""
        return self._loop is not None and not self._closed

    def tasks(self) -> TaskOwner:
        """Give the owner of this loop's background tasks.

        Raises:
            ClientClosedError: The client is closed.
            ConfigurationError: The client lives in another loop that is still alive.
        """
        self._enter_loop()
        return self._tasks

    async def call(self, request: Request, decode: Decode[T], options: Options) -> T:
        """Give the decoded answer to ``request``, after as many attempts as it takes and may take.

        Raises:
            AegisError: The last attempt's error.
        """
        try:
            return await self._attempt(request, decode, options, 1)
        except AegisError as error:
            first = error
        self._require_open()
        # The first attempt does without the retry machinery, which costs more than all of ours together.
        retry = Retry(options.retry, self._clock, self._announce)
        return await retry.after(first, lambda attempt: self._attempt(request, decode, options, attempt))

    async def aclose(self) -> None:
        """End every task and connection; calling it again does nothing."""
        self._closed = True
        if self._loop is asyncio.get_running_loop():
            await self._tasks.aclose()
            await self._transport.aclose()

    async def _attempt(self, request: Request, decode: Decode[T], options: Options, attempt: int) -> T:
        if self._closed or self._loop is not asyncio.get_running_loop():
            self._enter_loop()
        which = f"(attempt {attempt} of {options.retry.max_attempts})"
        async with self._slots:
            self._require_open()
            raw = await self._transport.send(request, options.timeout, attempt, which)
        log.debug("%s: %d %s", request, raw.status, which)
        if not raw.ok:
            raise masked(status_error(raw, request, which, self._clock.now()), self._wire.key, attempt)
        try:
            return await decode.in_pieces(raw.body) if len(raw.body) > decode.cut_above else decode(raw.body)
        except DecodeError as error:
            fault = error
        fault.args = (f"{fault} ({request}) {which}",)
        raise masked(fault, self._wire.key, attempt)

    def _require_open(self) -> None:
        if self._closed:
            raise ClientClosedError("the client is closed: make a new one")

    def _enter_loop(self) -> None:
        self._require_open()
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        if self._loop is not None and not self._loop.is_closed():
            raise ConfigurationError("the client is used in another event loop: make one client for each loop")
        self._loop = loop
        self._tasks = TaskOwner()
        self._slots = Slots(self._max_concurrency)
        self._transport = Transport(self._wire)

    def _announce(self, error: BaseException | None, _attempt: int, wait: float) -> None:
        log.warning("%s; next in %.2f s", error, wait)
