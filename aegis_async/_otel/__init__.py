"""Beside the layers: what the hooks tell, as OpenTelemetry's spans and metrics."""

from typing import TYPE_CHECKING, Final

from aegis_async._hooks import Hooks
from aegis_async._version import __version__
from aegis_async.errors import ConfigurationError

if TYPE_CHECKING:
    from opentelemetry import metrics, trace

__all__ = ["otel_hooks"]

_SCOPE: Final = "aegis_async"
_CONVENTIONS: Final = "https://opentelemetry.io/schemas/1.23.0"  # where HTTP's became stable


def otel_hooks(
    *,
    tracer_provider: "trace.TracerProvider | None" = None,
    meter_provider: "metrics.MeterProvider | None" = None,
) -> Hooks:
    """Give hooks that make spans and metrics for OpenTelemetry; needs the extra ``otel``.

    A call gets a span of its own under the caller's current one, and each of its attempts a child with HTTP's
    semantic conventions. The names of spans, attributes and metrics stand in the docs under "Tracing". Neither holds
    the key, nor the values of query parameters of yours.

    Join them to hooks of your own with ``|``.

    Args:
        tracer_provider: Where the spans go; default the process's own.
        meter_provider: Where the metrics go; default the process's own.

    Raises:
        ConfigurationError: OpenTelemetry is not installed.

    Example:
        ::

            client = AegisClient(hooks=otel_hooks() | Hooks(on_give_up=alert))
    """
    try:
        from opentelemetry import metrics, trace  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigurationError('otel_hooks needs OpenTelemetry: pip install "aegis-async[otel]"') from error

    from aegis_async._otel._metrics import metric_hooks  # noqa: PLC0415 - imports the extra
    from aegis_async._otel._spans import span_hooks  # noqa: PLC0415 - likewise

    tracer = trace.get_tracer(_SCOPE, __version__, tracer_provider, _CONVENTIONS)
    meter = metrics.get_meter(_SCOPE, __version__, meter_provider, _CONVENTIONS)
    return span_hooks(tracer) | metric_hooks(meter)
