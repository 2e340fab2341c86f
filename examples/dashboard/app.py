"""The dashboard inside an app of one's own: one client, opened and closed with the app, for its routes and the page.

Set AEGIS_API_KEY (or the two variables that ``aegis-async sandbox`` prints), then, in this folder:

    uvicorn --factory app:create_app --timeout-graceful-shutdown 3
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from aegis_async import AegisClient, Cache
from aegis_async.dashboard import LiveSource, dashboard


def create_app() -> Starlette:
    """Give an app with a route of its own at ``/healthz`` and the dashboard at ``/quality/``."""
    client = AegisClient(cache=Cache(ttl=30, stale_while_revalidate=300, stale_if_error=3600))
    live = LiveSource(client, interval=30)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with client, live:
            yield

    async def healthz(_request: Request) -> JSONResponse:
        return JSONResponse({"aegis": live.state().status})

    # Put your own sign-in in front of the mount: the dashboard asks nobody who they are.
    routes = [Route("/healthz", healthz), Mount("/quality", app=dashboard(live))]
    return Starlette(routes=routes, lifespan=lifespan)
