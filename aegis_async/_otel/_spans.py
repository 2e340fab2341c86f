"""Spans: one for each call, and a child for each of its attempts."""

import time
from dataclasses import dataclass
from typing import Final

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context

from aegis_async._hooks import Hooks, RequestEvent
from aegis_async._otel._attributes import Value, error_type, outcome, server, shown_url

__all__ = ["span_hooks"]

_NANOSECONDS: Final = 1_000_000_000


def span_hooks(tracer: Tracer) -> Hooks:
    """Give the hooks that make spans with ``tracer``."""
    spans = _Spans(tracer)
    return Hooks(on_request=spans.on_request, on_response=spans.on_response, on_give_up=spans.on_give_up)


@dataclass(slots=True)
class _Open:
    """The spans of a call that is under way; instants are nanoseconds."""

    call: Span
    begun: int
    attempt: Span | None = None
    attempt_begun: int = 0
    on_wire: int = 0


class _Spans:
    """What is under way. Each call ends by an answer or by being given up, so nothing stays."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._open: dict[int, _Open] = {}

    def on_request(self, event: RequestEvent) -> None:
        now = time.time_ns()
        under_way = self._call(event, now)
        attributes = {**server(event), "url.full": shown_url(event)}
        if event.attempt > 1:
            attributes["http.request.resend_count"] = event.attempt - 1
        context = set_span_in_context(under_way.call)
        # The convention wants no path in the name: there are as many as ids.
        span = self._tracer.start_span(event.method, context, SpanKind.CLIENT, attributes, start_time=now)
        under_way.attempt, under_way.attempt_begun = span, now

    def on_response(self, event: RequestEvent) -> None:
        under_way, now = self._open[event.call], time.time_ns()
        if under_way.attempt is not None:
            ended = now - _nanoseconds(event.decode)
            under_way.attempt.set_attributes({**outcome(event), **_phases(event)})
            _end(under_way.attempt, event, ended)
            under_way.attempt = None
            under_way.on_wire += ended - under_way.attempt_begun
        if event.error is None:
            self._end_call(event, now)

    def on_give_up(self, event: RequestEvent) -> None:
        now = time.time_ns()
        under_way = self._call(event, now)
        if event.error is not None:
            under_way.call.set_attribute("error.type", error_type(event.error, event.status))
        self._end_call(event, now)

    def _call(self, event: RequestEvent, now: int) -> _Open:
        known = self._open.get(event.call)
        if known is None:
            begun = now - _nanoseconds(event.slot)
            attributes = {"aegis_async.path": event.path, "aegis_async.priority": event.priority}
            # Internal, since the convention knows a client's span for each attempt only.
            span = self._tracer.start_span("aegis_async.call", attributes=attributes, start_time=begun)
            known = self._open[event.call] = _Open(span, begun)
        return known

    def _end_call(self, event: RequestEvent, now: int) -> None:
        under_way = self._open.pop(event.call)
        waited = now - under_way.begun - under_way.on_wire - _nanoseconds(event.decode)
        totals = {"aegis_async.attempts": event.attempt, "aegis_async.waited": max(0, waited) / _NANOSECONDS}
        under_way.call.set_attributes(totals)
        _end(under_way.call, event, now)


def _phases(event: RequestEvent) -> dict[str, Value]:
    phases = {
        "aegis_async.connect": event.connect,
        "aegis_async.first_byte": event.first_byte,
        "aegis_async.body": event.body,
        "aegis_async.decode": event.decode,
    }
    return {name: seconds for name, seconds in phases.items() if seconds is not None}


def _end(span: Span, event: RequestEvent, now: int) -> None:
    if event.error is not None:
        span.set_status(Status(StatusCode.ERROR))
    span.end(now)


def _nanoseconds(seconds: float | None) -> int:
    return int((seconds or 0.0) * _NANOSECONDS)
