"""An outage is no id's fault: while it lasts, one request at a time asks whether the service answers again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeVar

from aegis_async._clock import Clock
from aegis_async.errors import (
    AegisError,
    APIConnectionError,
    ExportError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
)

if TYPE_CHECKING:
    from aegis_async._client import AegisClient

__all__ = ["Outage", "ask"]

T = TypeVar("T")

_IN_A_ROW: Final = 3  # failures of different ids with no answer between them: more than bad luck, less than a batch
_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 30.0
_INTERNAL_ERROR: Final = 500


class Outage:
    """Lets requests through while the service answers, and one at a time while it does not.

    Args:
        limit: Seconds after which an outage ends the export.
        ask: Asks the service for something that no id has to do with, and raises when it does not answer.
        clock: Time.

    Attributes:
        ended: What ends the export, once an outage has lasted too long.
    """

    def __init__(self, limit: float, ask: Callable[[], Awaitable[object]], clock: Clock) -> None:
        self.ended: ExportError | None = None
        self._limit = limit
        self._ask = ask
        self._clock = clock
        self._failures = 0
        self._open = asyncio.Event()
        self._open.set()
        self._probe = asyncio.Lock()

    async def through(self, fetch: Callable[[], Awaitable[T]]) -> T:
        """Give what ``fetch`` gives; while the service does not answer, wait and try again.

        Raises:
            AegisError: The error of ``fetch``, where the service answers others.
            ExportError: The outage has lasted too long.
        """
        while True:
            await self._open.wait()
            self._stop_if_ended()
            try:
                value = await fetch()
            except AegisError as error:
                if not _is_service(error):
                    self._failures = 0
                    raise
                self._failures += 1
                if self._failures < _IN_A_ROW:
                    raise
                if not await self._outlast(fetch, error):
                    raise
            else:
                self._failures = 0
                return value

    async def outlast(self, error: AegisError) -> None:
        """Wait until the service answers again; at once where ``error`` says nothing of an outage.

        Raises:
            AegisError: The error itself, where it is none of an outage.
            ExportError: The outage has lasted too long.
        """
        if not _is_service(error):
            raise error
        await self._outlast(self._ask, error)

    async def _outlast(self, fetch: Callable[[], Awaitable[object]], error: AegisError) -> bool:
        """Wait for the end of the outage; False when it is none, because others are answered."""
        self._open.clear()
        async with self._probe:
            if self._open.is_set():  # another one has seen its end
                return True
            try:
                return await self._probed(fetch, error)
            finally:
                self._failures = 0
                self._open.set()

    async def _probed(self, fetch: Callable[[], Awaitable[object]], error: AegisError) -> bool:
        begun, wait = self._clock.monotonic(), _FIRST_WAIT
        while True:
            if _may_be_its_own(error) and await self._answers(self._ask) is None:
                return False
            left = self._limit - (self._clock.monotonic() - begun)
            if left <= 0:
                self.ended = ExportError(f"the service has not answered for {self._limit:g} s: {error}")
                raise self.ended
            await self._clock.sleep(min(wait, left))
            wait = min(2 * wait, _LONGEST_WAIT)
            failed = await self._answers(fetch)
            if failed is None:
                return True
            error = failed

    async def _answers(self, ask: Callable[[], Awaitable[object]]) -> AegisError | None:
        """Give the error when the service does not answer."""
        try:
            await ask()
        except AegisError as error:
            return error if _is_service(error) else None
        return None

    def _stop_if_ended(self) -> None:
        if self.ended is not None:
            raise self.ended


async def ask(client: "AegisClient") -> object:
    """Ask the service for the least that it can give."""
    return await client.data_collections.list(page_size=1, max_pages=1).first()


def _may_be_its_own(error: AegisError) -> bool:
    """Tell whether one collection alone can be the cause, as one that is too much for the service."""
    return isinstance(error, RequestTimeoutError) or getattr(error, "status", None) == _INTERNAL_ERROR


def _is_service(error: AegisError) -> bool:
    """Tell whether an error may be the service's, whatever was asked."""
    return isinstance(error, APIConnectionError | RequestTimeoutError | RateLimitError | ServerError)
