"""A real nginx on loopback, from the system's package, with a configuration of the test's own."""

import asyncio
import os
import shutil
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.missing import missing

_CONFIGURATION: Final = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    log_format figures '$status $msec $request_time $gzip_ratio';
    access_log {folder}/access.log figures;
    gzip on;
    gzip_types application/json;
    gzip_proxied any;
    limit_req_zone $server_name zone=all:1m rate={rate}r/s;
    limit_req_status 429;
    upstream service {{
        server 127.0.0.1:{upstream};
        keepalive 16;
    }}
    server {{
        listen 127.0.0.1:{port};
        server_name service;
        location / {{
            limit_req zone=all burst={burst};
            proxy_pass http://service;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Accept-Encoding "";
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Entry:
    """One line of the access log: the status, when the request came, and whether nginx compressed the answer."""

    status: int
    begun: float
    compressed: bool


class Nginx:
    """A running nginx in front of one upstream."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self.url = f"http://127.0.0.1:{port}/api/v1"

    def log(self) -> list[Entry]:
        """Give the access log so far."""
        file = self._folder / "access.log"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        fields = (line.split() for line in lines)
        return [Entry(int(status), float(ended) - float(taken), ratio != "-") for status, ended, taken, ratio in fields]


@dataclass(frozen=True)
class Ports:
    """Where nginx listens, and where it looks for its upstream."""

    nginx: int
    upstream: int


@pytest.fixture
async def ports() -> Ports:
    free = []
    for _ in range(2):
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        free.append(server)
    nginx, upstream = (server.sockets[0].getsockname()[1] for server in free)
    for server in free:
        server.close()
        await server.wait_closed()
    return Ports(nginx, upstream)


@pytest.fixture
async def nginx(tmp_path: Path, ports: Ports, request: pytest.FixtureRequest) -> AsyncIterator[Nginx]:
    """Start it with the rate and burst that the test asks for as this fixture's parameter, and stop it at the end."""
    command = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if command is None:
        missing("nginx", "nginx")
    rate, burst = request.param
    file = tmp_path / "nginx.conf"
    text = _CONFIGURATION.format(folder=tmp_path, port=ports.nginx, upstream=ports.upstream, rate=rate, burst=burst)
    file.write_text(text, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(command, "-c", str(file), "-p", str(tmp_path))
    try:
        await _listening(process, ports.nginx)
        yield Nginx(tmp_path, ports.nginx)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _listening(process: Process, port: int) -> None:
    while True:
        assert process.returncode is None, "nginx ended: see its error.log"
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            await asyncio.sleep(0)
        else:
            writer.close()
            await writer.wait_closed()
            return
