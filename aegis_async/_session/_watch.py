"""Tells the hooks what becomes of each call."""

import random
from typing import Any, Final, TypeAlias

from aegis_async._config import ApiKey
from aegis_async._hooks import Hooks, RequestEvent, tell
from aegis_async._session._call import Call, Timings
from aegis_async._session._request import RawResponse

__all__ = ["Watch"]

AnyCall: TypeAlias = Call[Any]

_BITS: Final = 63  # so many that no two calls of a process meet, and a signed integer still holds them


class Watch:
    """The hooks of one client."""

    def __init__(self, hooks: Hooks, key: ApiKey) -> None:
        self._hooks = hooks
        self._key = key

    def began(self, call: AnyCall) -> None:
        """Tell that an attempt goes on the wire."""
        if call.timings:
            call.timings.on_wire = True
        tell(self._hooks.on_request, self._event(call))

    def answered(self, call: AnyCall, raw: RawResponse) -> None:
        """Note an answer, of which ``ended`` tells."""
        request_id = raw.headers.get("X-Request-ID")
        call.answer = (raw.status, request_id and self._key.mask(request_id), len(raw.body))

    def ended(self, call: AnyCall, error: BaseException | None) -> None:
        """Tell what came of an attempt, unless it never went on the wire."""
        if call.timings and call.timings.on_wire:
            tell(self._hooks.on_response, self._event(call, error))

    def retries(self, call: AnyCall, error: BaseException, wait: float) -> None:
        """Tell that another attempt will be made."""
        tell(self._hooks.on_retry, self._event(call, error, wait))

    def gave_up(self, call: AnyCall, error: BaseException) -> None:
        """Tell that a call ends without a result."""
        tell(self._hooks.on_give_up, self._event(call, error))

    def _event(self, call: AnyCall, error: BaseException | None = None, wait: float | None = None) -> RequestEvent:
        # Drawn, not counted: hooks may be shared by several clients, and must not take their calls for one.
        call.number = call.number or random.getrandbits(_BITS)
        timings = call.timings or Timings()
        status, request_id, size = call.answer if call.timings and call.timings.on_wire else (None, None, None)
        return RequestEvent(
            call=call.number,
            method=call.request.method,
            path=call.request.path,
            url=call.request.url,
            priority="bulk" if call.bulk else "interactive",
            attempt=call.attempts,
            max_attempts=call.options.retry.max_attempts,
            status=status,
            request_id=request_id,
            error=error,
            size=size,
            slot=timings.slot,
            connect=timings.connect,
            first_byte=timings.first_byte,
            body=timings.body,
            decode=timings.decode,
            wait=wait,
        )
