"""The app: the page, its files and a JSON API, all of it read-only; mount it in an app of your own."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, ParamSpec

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from aegis_async.dashboard._board import Answer, Board
from aegis_async.dashboard._events import Streams
from aegis_async.dashboard._files import PAGE, page_files
from aegis_async.dashboard._headers import Headers
from aegis_async.dashboard._questions import days_of, id_of, page_of, search_of, span_of
from aegis_async.dashboard._source import Source
from aegis_async.errors import (
    AegisError,
    AuthenticationError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
)

__all__ = ["dashboard"]

P = ParamSpec("P")

_JSON: Final = "application/json"
# The first kind that fits counts. What an error says may name the service's address, so these do not repeat it.
_ANSWERS: Final[tuple[tuple[type[AegisError], HTTPStatus, str], ...]] = (
    (NotFoundError, HTTPStatus.NOT_FOUND, "there is no such collection or run"),
    (AuthenticationError, HTTPStatus.BAD_GATEWAY, "the service refuses the key"),
    (PermissionDeniedError, HTTPStatus.BAD_GATEWAY, "the service does not permit it"),
    (AegisError, HTTPStatus.SERVICE_UNAVAILABLE, "the service does not answer as it should; try again later"),
)


def dashboard(source: Source) -> ASGIApp:
    """Give an ASGI app that shows ``source``: a page, and a JSON API under ``api/``.

    It answers GET alone, knows no key, and asks nobody who they are: put it behind your own sign-in where others can
    reach it. It does not open or close ``source``.

    Args:
        source: A ``LiveSource``, an ``ExportSource`` or something of yours that has the same calls.
    """
    return Headers(
        Starlette(
            routes=_Routes(Board(source), Streams(source)).table(),
            exception_handlers={AegisError: _on_error, HTTPException: _on_http},
        )
    )


class _Routes:
    def __init__(self, board: Board, streams: Streams) -> None:
        self._board = board
        self._streams = streams

    def table(self) -> list[Route]:
        """Give every path that there is."""
        handlers = {
            "/": self.page,
            "/static/{name:path}": self.file,
            "/api/health": self.health,
            "/api/events": self.events,
            "/api/overview": self.overview,
            "/api/below": self.below,
            "/api/collections": self.collections,
            "/api/collections/{collection_id}": self.collection,
            "/api/collections/{collection_id}/runs/{run_id}": self.run,
        }
        return [Route(path, handler, methods=["GET"]) for path, handler in handlers.items()]

    async def page(self, _request: Request) -> Response:
        file = page_files()[PAGE]
        return Response(file.body, media_type=file.kind)

    async def file(self, request: Request) -> Response:
        file = page_files().get(request.path_params["name"])
        if file is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return Response(file.body, media_type=file.kind)

    async def health(self, _request: Request) -> Response:
        return Response(msgspec.json.encode(self._board.source.state()), media_type=_JSON)

    async def events(self, _request: Request) -> Response:
        if not self._streams.has_room:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "too many streams of events are open")
        return StreamingResponse(self._streams.stream(), media_type="text/event-stream")

    async def overview(self, request: Request) -> Response:
        days, span = days_of(request.query_params), span_of(request.query_params)
        return await self._tagged(request, self._board.overview, days, span)

    async def below(self, request: Request) -> Response:
        page, days = page_of(request.query_params), days_of(request.query_params)
        return await self._tagged(request, self._board.below, page, days)

    async def collections(self, request: Request) -> Response:
        page, search = page_of(request.query_params), search_of(request.query_params)
        return await self._tagged(request, self._board.collections, page, search)

    async def collection(self, request: Request) -> Response:
        found = await self._board.collection(id_of("collection_id", request.path_params))
        return Response(msgspec.json.encode(found), media_type=_JSON)

    async def run(self, request: Request) -> Response:
        path, page = request.path_params, page_of(request.query_params)
        found = await self._board.run(id_of("collection_id", path), id_of("run_id", path), page)
        return Response(msgspec.json.encode(found), media_type=_JSON)

    async def _tagged(
        self, request: Request, ask: Callable[P, Awaitable[Answer]], *args: P.args, **kwargs: P.kwargs
    ) -> Response:
        # The tag is that of the numbers and the day: a page can tell whether two of its answers go together.
        known = request.headers.get("if-none-match")
        if known == _tag(self._board.version()):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"etag": known})
        found = await ask(*args, **kwargs)
        return Response(found.body, media_type=_JSON, headers={"etag": _tag(found.version)})


def _tag(version: str) -> str:
    return f'"{version}"'


async def _on_error(_request: Request, error: Exception) -> Response:
    if isinstance(error, InvalidArgumentError):
        return _complaint(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
    return next(_complaint(status, text) for kind, status, text in _ANSWERS if isinstance(error, kind))


async def _on_http(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    answer = _complaint(HTTPStatus(error.status_code), error.detail)
    answer.headers.update(error.headers or {})
    return answer


def _complaint(status: HTTPStatus, text: str) -> Response:
    return Response(msgspec.json.encode({"detail": text}), status, media_type=_JSON)
