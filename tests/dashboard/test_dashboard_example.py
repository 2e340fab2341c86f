"""The example, and what it shows: the dashboard inside an app, the client opened and closed with it."""

import asyncio
import importlib.util
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import uvicorn
from aiohttp import ClientSession
from starlette.applications import Starlette

from aegis_async import dashboard
from aegis_async.dashboard._server import listening
from aegis_async.errors import ConfigurationError
from aegis_async.sandbox import Sandbox
from tests.dashboard.serving import Site

EXAMPLE = Path(__file__).parents[2] / "examples" / "dashboard" / "app.py"


def create_app() -> Starlette:
    """Load the example as uvicorn does."""
    spec = importlib.util.spec_from_file_location("example_app", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    app: Starlette = module.create_app()
    return app


async def test_the_example_serves_page_and_route(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    """Under its mount the page finds its files and answers, and the app keeps its own route and ends well."""
    for name, value in sandbox.env.items():
        monkeypatch.setenv(name, value)
    with listening("127.0.0.1", 0) as listener:
        server = uvicorn.Server(uvicorn.Config(create_app(), ws="none", log_config=None))
        serving = asyncio.create_task(server.serve([listener]))
        try:
            async with ClientSession() as session:
                site = Site(f"http://127.0.0.1:{listener.getsockname()[1]}", session)
                paths = ("/quality", "/quality/", "/quality/static/main.js", "/quality/api/overview", "/healthz")
                replies = {path: await site.get(path) for path in paths}
        finally:
            server.should_exit = True
            with suppress(asyncio.CancelledError):
                await serving

    assert dict.fromkeys(paths, 200) == {path: reply.status for path, reply in replies.items()}
    assert replies["/quality"].body == replies["/quality/"].body
    assert replies["/healthz"].json["aegis"] in {"loading", "live"}
    assert "content-security-policy" not in replies["/healthz"].headers


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence with the command, not a traceback of somebody else's module."""
    monkeypatch.setitem(sys.modules, "starlette.applications", None)
    monkeypatch.delitem(sys.modules, "aegis_async.dashboard._app", raising=False)
    monkeypatch.delitem(vars(dashboard), "dashboard", raising=False)

    with pytest.raises(ConfigurationError, match=r'pip install "aegis-async\[dashboard\]"'):
        dashboard.dashboard  # noqa: B018 - the point of the test


def test_an_unknown_name_is_an_attribute_error() -> None:
    """The lazy module fails as any module does on a name that it lacks."""
    with pytest.raises(AttributeError, match="has no attribute 'dashbord'"):
        dashboard.dashbord  # noqa: B018 - the point of the test


def test_importing_it_loads_no_web_server() -> None:
    """The package and its dashboard's names cost nothing of starlette, uvicorn, duckdb or pyarrow."""
    code = "import sys, aegis_async.dashboard; aegis_async.dashboard.LiveSource; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours

    assert set() == {"starlette", "uvicorn", "duckdb", "pyarrow"} & set(done.stdout.split())
