"""Claims about tracing: what the spans and metrics of real calls say, and what they never do."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from aegis_async import AegisClient, Hooks, RequestEvent, otel_hooks
from aegis_async.errors import AegisError, ConfigurationError, DeadlineExceededError, NotFoundError, ServerError
from aegis_async.sandbox import Sandbox
from tests.conftest import FakeClock

Point = NumberDataPoint | HistogramDataPoint


class Telemetry:
    """What was traced and measured."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider(metric_readers=[self.reader])

    def hooks(self) -> Hooks:
        """Give the hooks that write here."""
        return otel_hooks(tracer_provider=self.tracers, meter_provider=self.meters)

    @property
    def calls(self) -> list[ReadableSpan]:
        """The calls' spans in the order of their ends."""
        return [span for span in self.exporter.get_finished_spans() if span.name == "aegis_async.call"]

    @property
    def attempts(self) -> list[ReadableSpan]:
        """The attempts' spans in the order of their ends."""
        return [span for span in self.exporter.get_finished_spans() if span.kind is SpanKind.CLIENT]

    def points(self, name: str) -> list[Point]:
        """Give what one instrument has measured."""
        return [point for metric, points in self._metrics() if metric == name for point in points]

    def everything(self) -> str:
        """Give all of it as text."""
        data = self.reader.get_metrics_data()
        spans = "".join(span.to_json() for span in self.exporter.get_finished_spans())
        return spans + (data.to_json() if data else "")

    def _metrics(self) -> Iterator[tuple[str, list[Point]]]:
        data = self.reader.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    points: list[Point] = [p for p in metric.data.data_points if isinstance(p, Point)]
                    yield metric.name, points


def ids(span: ReadableSpan) -> tuple[int, int]:
    """Give the ids of a span and its trace."""
    context = span.get_span_context()
    assert context is not None
    return context.span_id, context.trace_id


def attribute(span: ReadableSpan, name: str) -> object:
    """Give one attribute of a span, None where it has none of that name."""
    return (span.attributes or {}).get(name)


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


Traced = Callable[..., AbstractAsyncContextManager[AegisClient]]


@pytest.fixture
def traced(sandbox: Sandbox, clock: FakeClock, telemetry: Telemetry) -> Traced:
    @asynccontextmanager
    async def made(hooks: Hooks | None = None) -> AsyncIterator[AegisClient]:
        client = AegisClient(sandbox.api_key, base_url=sandbox.url, hooks=hooks or telemetry.hooks(), max_concurrency=1)
        client._session.clock = clock.as_clock()
        async with client:
            yield client

    return made


async def test_a_call_is_a_child_of_the_caller_s_span(traced: Traced, telemetry: Telemetry) -> None:
    """The caller's span holds the call's, and that holds the attempt's, all in one trace."""
    tracer = telemetry.tracers.get_tracer("theirs")

    async with traced() as client:
        with tracer.start_as_current_span("theirs") as theirs:
            await client.data_collections.get(14)

    [call], [attempt] = telemetry.calls, telemetry.attempts
    assert call.parent is not None
    assert attempt.parent is not None
    trace = theirs.get_span_context().trace_id
    assert (theirs.get_span_context().span_id, trace) == (call.parent.span_id, call.parent.trace_id)
    assert ids(call) == (attempt.parent.span_id, attempt.parent.trace_id)


async def test_an_attempt_speaks_the_conventions_words(traced: Traced, telemetry: Telemetry, sandbox: Sandbox) -> None:
    """Method, URL, server and status stand under the stable names of HTTP's conventions, and nothing says error."""
    port = int(sandbox.url.split(":")[2].split("/")[0])

    async with traced() as client:
        await client.data_collections.get(14)

    [attempt] = telemetry.attempts
    found = {name: value for name, value in (attempt.attributes or {}).items() if not name.startswith("aegis_async.")}
    assert "GET" == attempt.name
    assert StatusCode.UNSET is attempt.status.status_code
    assert {
        "http.request.method": "GET",
        "url.full": f"{sandbox.url}/data-collections/14",
        "server.address": "127.0.0.1",
        "server.port": port,
        "http.response.status_code": 200,
    } == found


async def test_each_attempt_has_a_span_of_its_own(traced: Traced, telemetry: Telemetry, sandbox: Sandbox) -> None:
    """Two faults and a success are three spans, the later ones with their resend count, under one successful call."""
    sandbox.fail(status=503, times=2)

    async with traced() as client:
        await client.data_collections.get(14)

    [call], attempts = telemetry.calls, telemetry.attempts
    assert [503, 503, 200] == [attribute(span, "http.response.status_code") for span in attempts]
    assert ["503", "503", None] == [attribute(span, "error.type") for span in attempts]
    assert [None, 1, 2] == [attribute(span, "http.request.resend_count") for span in attempts]
    assert (3, None, StatusCode.UNSET) == (
        attribute(call, "aegis_async.attempts"),
        attribute(call, "error.type"),
        call.status.status_code,
    )


async def test_spans_lie_inside_each_other(traced: Traced, telemetry: Telemetry, sandbox: Sandbox) -> None:
    """No attempt begins before its call or before the attempt before it ended, nor ends after its call."""
    sandbox.fail(status=503, times=2)

    async with traced() as client:
        await client.data_collections.get(14)

    [call] = telemetry.calls
    instants = [call.start_time, *(at for span in telemetry.attempts for at in (span.start_time, span.end_time))]
    assert sorted(at or 0 for at in instants) == instants
    assert (instants[-1] or 0) <= (call.end_time or 0)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 404}, "404"),
        ({"reset": True}, "aegis_async.errors.APIConnectionError"),
        ({"body": b"[]", "status": 200}, "aegis_async.errors.DecodeError"),
    ],
)
async def test_a_failure_is_named_by_status_or_class(
    fault: dict[str, object], kind: str, traced: Traced, telemetry: Telemetry, sandbox: Sandbox
) -> None:
    """What failed with a status is named by it, all else by the class of the error, on attempt and call alike."""
    sandbox.fail(times=None, **fault)  # type: ignore[arg-type]  # as parametrized

    async with traced() as client:
        with pytest.raises(AegisError):
            await client.data_collections.get(14)

    last, [call] = telemetry.attempts[-1], telemetry.calls
    assert [kind, kind] == [attribute(span, "error.type") for span in (last, call)]
    assert [StatusCode.ERROR] * 2 == [span.status.status_code for span in (last, call)]


async def test_a_call_that_never_began_an_attempt_has_a_span(
    traced: Traced, telemetry: Telemetry, sandbox: Sandbox
) -> None:
    """A deadline spent at the gate ends the call's span with its error, without any attempt's."""
    sandbox.fail(delay=float("inf"))

    async with traced() as client:
        first = asyncio.create_task(client.data_collections.get(1))
        while not sandbox.requests:
            await asyncio.sleep(0)
        with pytest.raises(DeadlineExceededError):
            # Bulk, because an interactive call's deadline ends its wait for a shared flight, and that is cancelled.
            await client.with_options(deadline=0.01, priority="bulk").data_collections.get(2)
        held = telemetry.calls
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)

    [call] = held
    assert ("aegis_async.errors.DeadlineExceededError", 0) == (
        attribute(call, "error.type"),
        attribute(call, "aegis_async.attempts"),
    )
    assert 1 == len(telemetry.attempts)


async def test_a_cancelled_call_leaves_no_span_open(traced: Traced, telemetry: Telemetry, sandbox: Sandbox) -> None:
    """Cancellation on the wire ends the attempt's span and the call's, both named by it."""
    sandbox.fail(delay=float("inf"))

    async with traced() as client:
        task = asyncio.create_task(client.data_collections.get(1))
        while not sandbox.requests:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    spans = [*telemetry.attempts, *telemetry.calls]
    assert ["asyncio.exceptions.CancelledError"] * 2 == [attribute(span, "error.type") for span in spans]


async def test_hooks_that_clients_share_keep_their_calls_apart(
    traced: Traced, telemetry: Telemetry, sandbox: Sandbox
) -> None:
    """Two clients with the same hooks make two calls at once, each with its own attempt under it."""
    hooks = telemetry.hooks()
    sandbox.fail(delay=0.05, times=2)

    async with traced(hooks) as one, traced(hooks) as other:
        await asyncio.gather(one.data_collections.get(1), other.data_collections.get(2))

    calls = {ids(span)[0]: attribute(span, "aegis_async.path") for span in telemetry.calls}
    pairs = [(calls[a.parent.span_id], attribute(a, "url.full")) for a in telemetry.attempts if a.parent]
    assert {(f"/data-collections/{n}", f"{sandbox.url}/data-collections/{n}") for n in (1, 2)} == set(pairs)


async def test_durations_are_measured_in_seconds_for_each_attempt(
    traced: Traced, telemetry: Telemetry, sandbox: Sandbox
) -> None:
    """The convention's histogram has a point for each outcome, with the server and the status."""
    sandbox.fail(status=503)

    async with traced() as client:
        await client.data_collections.get(14)

    points = telemetry.points("http.client.request.duration")
    found = {(p.attributes or {}).get("http.response.status_code"): p for p in points}
    assert {503, 200} == set(found)
    assert all(isinstance(p, HistogramDataPoint) and 1 == p.count and 0 < p.sum < 60 for p in points)
    assert {"http.request.method", "server.address", "server.port", "http.response.status_code"} == set(
        found[200].attributes or {}
    )


async def test_retries_and_waits_are_counted(
    traced: Traced, telemetry: Telemetry, sandbox: Sandbox, clock: FakeClock
) -> None:
    """Two retries are counted with their reason, and the waits before them add up to what the clock slept."""
    sandbox.fail(status=503, retry_after=7)
    sandbox.fail(status=500)

    async with traced() as client:
        await client.data_collections.get(14)

    retries = {
        (p.attributes or {})["error.type"]: p.value
        for p in telemetry.points("aegis_async.client.retries")
        if isinstance(p, NumberDataPoint)
    }
    waits = [
        p.sum
        for p in telemetry.points("aegis_async.client.wait.duration")
        if isinstance(p, HistogramDataPoint) and "retry" == (p.attributes or {})["aegis_async.wait.reason"]
    ]
    assert {"503": 1, "500": 1} == retries
    assert [sum(clock.sleeps)] == waits


async def test_calls_without_a_result_are_counted(traced: Traced, telemetry: Telemetry, sandbox: Sandbox) -> None:
    """A call that ends in an error is one give-up of that kind; one that succeeds is none."""
    sandbox.fail(status=404)

    async with traced() as client:
        with pytest.raises(NotFoundError):
            await client.data_collections.get(1)
        await client.data_collections.get(2)

    [point] = telemetry.points("aegis_async.client.give_ups")
    assert isinstance(point, NumberDataPoint)
    assert (1, "404") == (point.value, (point.attributes or {})["error.type"])


async def test_neither_spans_nor_metrics_hold_a_secret(traced: Traced, telemetry: Telemetry, sandbox: Sandbox) -> None:
    """The key and the values of the caller's own parameters are nowhere, even where the service repeats the key."""
    sandbox.fail(status=500, body=f'{{"detail": "bad key {sandbox.api_key}"}}', times=4)

    async with traced() as client:
        with pytest.raises(ServerError):
            await client.fetch("/runs/1", bytes, {"token": "s3cret", "page": 3})

    everything = telemetry.everything()
    assert "page=3" in everything
    assert "token=REDACTED" in everything
    assert "s3cret" not in everything
    assert sandbox.api_key not in everything


async def test_hooks_join_with_the_caller_s_own(traced: Traced, telemetry: Telemetry) -> None:
    """Joined by ``|``, both hear of every event, and one that raises keeps nothing from the other."""
    heard: list[str] = []

    def fails(event: RequestEvent) -> None:
        heard.append(event.path)
        raise ValueError("theirs")

    async with traced(Hooks(on_response=fails) | telemetry.hooks() | Hooks(on_request=fails)) as client:
        await client.data_collections.get(14)

    assert ["/data-collections/14"] * 2 == heard
    assert (1, 1) == (len(telemetry.calls), len(telemetry.attempts))


def test_without_opentelemetry_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra's absence is a configuration error with the pip command."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)

    with pytest.raises(ConfigurationError, match=r'otel_hooks needs OpenTelemetry: pip install "aegis-async\[otel\]"'):
        otel_hooks()


def test_by_default_the_process_s_own_providers_are_used() -> None:
    """Without providers the hooks are made all the same, for whatever the process has set up."""
    assert isinstance(otel_hooks(), Hooks)
