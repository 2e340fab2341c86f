"""An S3 server on loopback: moto's, which keeps everything in memory, behind a door where a test can interfere."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import fsspec
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

__all__ = ["ENVIRONMENT", "S3", "SECRET", "Asked", "serving"]

SECRET = "a-secret-of-the-store"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "an-id-of-the-store",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_ERROR = '<?xml version="1.0"?><Error><Code>{}</Code><Message>{}</Message></Error>'

Asked = tuple[str, str, str]
"""Method, path and query of a request."""


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing of each request."""


class S3:
    """The server.

    Attributes:
        asked: Every request that came.
        refuse: Gives the status and code to answer a request with; None lets it pass.
        conditions: Whether it knows If-None-Match.
        page: How many objects a page of a listing has; None for a thousand.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.refuse: Callable[[Asked], tuple[str, str] | None] = lambda _: None
        self.conditions = True
        self.page: int | None = None
        self._numbers = count(1)
        self._server: BaseWSGIServer | None = None
        self._inner = DomainDispatcherApplication(create_backend_app)
        self.port = 0
        self.start()

    def start(self) -> None:
        """Serve, on the same port as before."""
        self._server = make_server("127.0.0.1", self.port, self._answer, threaded=True, request_handler=_Quiet)
        self.port = self._server.port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Take no connection any more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def environment(self) -> dict[str, str]:
        return {**ENVIRONMENT, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}"}

    def bucket(self) -> str:
        """Make a bucket and give its name; the environment must be set."""
        name = f"bucket-{next(self._numbers)}"
        fsspec.filesystem("s3").mkdir(name)
        self.asked.clear()
        return name

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        asked = (environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"])
        self.asked.append(asked)
        refusal = self.refuse(asked)
        if refusal is not None:
            status, code = refusal
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start_response(status, [("Content-Type", "application/xml")])
            return [_ERROR.format(code, SECRET).encode()]
        if not self.conditions:
            environ.pop("HTTP_IF_NONE_MATCH", None)
        if self.page is not None and "list-type=2" in asked[2]:
            environ["QUERY_STRING"] += f"&max-keys={self.page}"
        answer: Iterable[bytes] = self._inner(environ, start_response)
        return answer


@contextmanager
def serving() -> Iterator[S3]:
    server = S3()
    try:
        yield server
    finally:
        server.stop()
