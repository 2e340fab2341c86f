"""What an operator may watch: plain callables that hear of every attempt, and the value they hear it with."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Final, Literal, TypeAlias

from aegis_async.errors import ConfigurationError

__all__ = ["Hook", "Hooks", "Priority", "RequestEvent", "tell"]

Priority: TypeAlias = Literal["interactive", "bulk"]

log: Final = logging.getLogger("aegis_async")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEvent:
    """One attempt, as far as it has come. It never holds the key.

    Durations are seconds, None for what has not happened or could not be seen.

    Attributes:
        call: A number that all attempts of one call share, and no other call of this process has; it means nothing
            else.
        method: The HTTP method.
        path: Path under the base URL, without the query.
        url: The whole URL.
        priority: The lane of the call.
        attempt: Which attempt, from 1; in ``on_give_up`` zero when none was begun.
        max_attempts: How many there may be.
        status: The answer's HTTP status.
        request_id: The answer's ``x-request-id``.
        error: What the attempt ended with, ``asyncio.CancelledError`` included.
        size: Bytes of the body after decompression.
        slot: The wait for a slot of the client, for its rate or for the end of a pause.
        connect: A new connection, with name look-up and TLS; zero where one was reused.
        first_byte: From the request to the head of its answer, the connection included.
        body: From there to the body's end.
        decode: From there to the decoded value.
        wait: The wait before the next attempt, in ``on_retry``.
    """

    call: int
    method: str
    path: str
    url: str
    priority: Priority
    attempt: int
    max_attempts: int
    status: int | None = None
    request_id: str | None = None
    error: BaseException | None = None
    size: int | None = None
    slot: float | None = None
    connect: float | None = None
    first_byte: float | None = None
    body: float | None = None
    decode: float | None = None
    wait: float | None = None


Hook: TypeAlias = Callable[[RequestEvent], object]


@dataclass(frozen=True, slots=True)
class Hooks:
    """Callables that hear of the client's requests; plain functions, called in the event loop, so keep them short.

    One that raises does no harm to the request: the error is logged, and nothing else happens. ``these | those``
    gives hooks that tell both, these first.

    Attributes:
        on_request: Before an attempt goes on the wire.
        on_response: After it, whatever came of it: an answer, an error, a cancellation.
        on_retry: Before the wait for the next attempt.
        on_give_up: When a call ends without a result.

    Raises:
        ConfigurationError: One of them cannot be called, or would have to be awaited.

    Example:
        ::

            def slow(event: RequestEvent) -> None:
                if event.first_byte and event.first_byte > 1:
                    print(event.path, event.first_byte)

            client = AegisClient(hooks=Hooks(on_response=slow))
    """

    on_request: Hook | None = None
    on_response: Hook | None = None
    on_retry: Hook | None = None
    on_give_up: Hook | None = None

    def __post_init__(self) -> None:
        for name in ("on_request", "on_response", "on_retry", "on_give_up"):
            hook = getattr(self, name)
            if hook is not None and (not callable(hook) or iscoroutinefunction(hook)):
                raise ConfigurationError(f"{name} must be a plain function or None: it is called, not awaited")

    def __or__(self, other: "Hooks") -> "Hooks":
        return Hooks(
            on_request=_both(self.on_request, other.on_request),
            on_response=_both(self.on_response, other.on_response),
            on_retry=_both(self.on_retry, other.on_retry),
            on_give_up=_both(self.on_give_up, other.on_give_up),
        )


def tell(hook: Hook | None, event: RequestEvent) -> None:
    """Call ``hook`` with ``event``; what it raises is logged."""
    if hook is None:
        return
    try:
        hook(event)
    except (Exception, asyncio.CancelledError):  # of a task that it looked at: who awaits nothing cannot be cancelled
        log.exception("a hook raised at attempt %d of %s %s", event.attempt, event.method, event.path)


def _both(first: Hook | None, second: Hook | None) -> Hook | None:
    if first is None or second is None:
        return first or second

    def told(event: RequestEvent) -> None:
        tell(first, event)  # one that raises does not keep the news from the other
        tell(second, event)

    return told
