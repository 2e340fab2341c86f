"""Metrics: how long requests and waits take, and how many retries there are."""

import time
from typing import Final

from opentelemetry.metrics import Histogram, Meter

from aegis_async._hooks import Hooks, RequestEvent
from aegis_async._otel._attributes import error_type, outcome, server

__all__ = ["metric_hooks"]

_BOUNDARIES: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Seconds; the convention's own for HTTP."""


def metric_hooks(meter: Meter) -> Hooks:
    """Give the hooks that record with ``meter``."""
    metrics = _Metrics(meter)
    return Hooks(metrics.on_request, metrics.on_response, metrics.on_retry, metrics.on_give_up)


class _Metrics:
    """The instruments, and since when each attempt is on the wire."""

    def __init__(self, meter: Meter) -> None:
        self._begun: dict[int, float] = {}
        self._request = _seconds(meter, "http.client.request.duration", "Duration of HTTP client requests.")
        self._wait = _seconds(meter, "aegis_async.client.wait.duration", "What calls wait before their attempts.")
        self._retries = meter.create_counter(
            "aegis_async.client.retries", unit="{retry}", description="Attempts after the first of a call."
        )
        self._gave_up = meter.create_counter(
            "aegis_async.client.give_ups", unit="{call}", description="Calls that ended without a result."
        )

    def on_request(self, event: RequestEvent) -> None:
        self._begun[event.call] = time.monotonic()
        if event.slot is not None:
            self._waited(event, event.slot, "slot")

    def on_response(self, event: RequestEvent) -> None:
        taken = time.monotonic() - self._begun.pop(event.call) - (event.decode or 0.0)
        self._request.record(taken, {**server(event), **outcome(event)})

    def on_retry(self, event: RequestEvent) -> None:
        self._retries.add(1, _kind(event))
        self._waited(event, event.wait or 0.0, "retry")

    def on_give_up(self, event: RequestEvent) -> None:
        if not event.attempt:
            self._waited(event, event.slot or 0.0, "slot")
        self._gave_up.add(1, {**_kind(event), "aegis_async.priority": event.priority})

    def _waited(self, event: RequestEvent, seconds: float, reason: str) -> None:
        attributes = {"aegis_async.wait.reason": reason, "aegis_async.priority": event.priority}
        self._wait.record(seconds, attributes)


def _kind(event: RequestEvent) -> dict[str, str]:
    return {} if event.error is None else {"error.type": error_type(event.error, event.status)}


def _seconds(meter: Meter, name: str, description: str) -> Histogram:
    return meter.create_histogram(
        name, unit="s", description=description, explicit_bucket_boundaries_advisory=_BOUNDARIES
    )
