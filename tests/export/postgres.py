"""A PostgreSQL cluster of Debian's packages on a free loopback port, for the length of a test session."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.missing import missing

_PLACES = Path("/usr/lib/postgresql")
_USER = "postgres"  # a server refuses to run as root


def _tools() -> Path:
    found = sorted(_PLACES.glob("*/bin/initdb"))
    if not found:
        missing("PostgreSQL", "postgresql")
    return found[-1].parent


def _as_user(*command: str | Path) -> None:
    prefix = [shutil.which("runuser") or "runuser", "-u", _USER, "--"] if os.geteuid() == 0 else []
    done = subprocess.run([*prefix, *map(str, command)], capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert 0 == done.returncode, done.stdout + done.stderr


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def cluster() -> Iterator[str]:
    """Make a cluster, give its address without a database, and take it away again."""
    tools, home, port = _tools(), Path(tempfile.mkdtemp(prefix="aegis-pg-")), _free_port()
    if os.geteuid() == 0:
        shutil.chown(home, _USER, _USER)
    data = home / "data"
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c fsync=off"
    try:
        _as_user(tools / "initdb", "-D", data, "-A", "trust", "-U", _USER, "-E", "UTF8", "--no-sync")
        _as_user(tools / "pg_ctl", "-D", data, "-o", options, "-l", home / "log", "-w", "start")
        try:
            yield f"postgresql://{_USER}@127.0.0.1:{port}"
        finally:
            _as_user(tools / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def psql(address: str, statement: str) -> str:
    """Give what psql prints for a statement, a line a row."""
    command = ["psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", "-d", address, "-c", statement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - arguments of ours
    assert 0 == done.returncode, done.stderr
    return done.stdout
