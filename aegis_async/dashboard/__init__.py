"""A dashboard over an account: an app to mount in one's own, over the service or over a finished export.

::

    client = AegisClient(cache=Cache())
    live = LiveSource(client)

    @asynccontextmanager
    async def lifespan(app):
        async with client, live:
            yield

    app = Starlette(routes=[Mount("/quality", dashboard(live))], lifespan=lifespan)

It needs the extra ``dashboard`` (starlette, uvicorn, duckdb), which is imported when it is used and not before.
"""

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aegis_async import errors
from aegis_async.dashboard._details import EvaluationRow
from aegis_async.dashboard._facts import CollectionFacts, RunFacts
from aegis_async.dashboard._live import LiveSource
from aegis_async.dashboard._source import Bell, Evaluations, Found, Source, State

if TYPE_CHECKING:
    from aegis_async.dashboard._app import dashboard
    from aegis_async.dashboard._exported import ExportSource
    from aegis_async.dashboard._report import write_report

__all__ = [
    "Bell",
    "CollectionFacts",
    "EvaluationRow",
    "Evaluations",
    "ExportSource",
    "Found",
    "LiveSource",
    "RunFacts",
    "Source",
    "State",
    "dashboard",
    "write_report",
]

_LAZY: Final = MappingProxyType({"ExportSource": "_exported", "dashboard": "_app", "write_report": "_report"})
_NEEDED: Final = ("starlette", "duckdb", "pyarrow")


def __getattr__(name: str) -> object:
    """Load what needs the extra when it is asked for the first time."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(f"{__name__}.{_LAZY[name]}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _NEEDED:
            raise
        raise errors.ConfigurationError(
            'the dashboard needs its extra: pip install "aegis-async[dashboard]"'
        ) from error
    value: object = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)
