"""The dashboard and the report as commands: real processes that serve, end by a signal, and write one file."""

import json
import re
import signal
import socket
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest

from aegis_async.cli import _serving
from aegis_async.sandbox import Sandbox
from tests.cli.ends import Process, Run, Spawn

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


def port_of(process: Process) -> int:
    """Read until the dashboard says where it is."""
    assert process.stderr is not None
    said = next(line for line in process.stderr if "dashboard at " in line)
    return int(re.findall(r"http://127\.0\.0\.1:(\d+)/", said)[0])


def asked(port: int, path: str) -> tuple[int, bytes]:
    """Ask the dashboard."""
    connection = HTTPConnection("127.0.0.1", port)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_ends_it_well(number: int, spawn: Spawn) -> None:
    """The page is there at the address it names; Ctrl-C is how it ends, also while a tab listens to events."""
    process = spawn("dashboard", "--sandbox", "--sandbox-collections", "3", "--port", "0")
    port = port_of(process)
    with socket.create_connection(("127.0.0.1", port)) as tab:
        tab.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        first = tab.recv(64)
        page, health = asked(port, "/"), asked(port, "/api/health")
        process.send_signal(number)
        out, err = process.communicate()

    assert (200, 200) == (page[0], health[0])
    assert first.startswith(b"HTTP/1.1 200")
    assert (0, "", "") == (process.returncode, out, err)


def test_a_port_in_use_is_one_sentence(run: Run) -> None:
    """Whoever starts it twice reads why it does not start."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("dashboard", "--sandbox", "--sandbox-collections", "1", "--port", str(port))

    assert 1 == ended.status
    assert f"aegis-async: the dashboard cannot listen on 127.0.0.1:{port}: Address already in use\n" == ended.err


@posix
def test_an_export_is_shown_without_the_service(run: Run, spawn: Spawn, tmp_path: Path) -> None:
    """Over a folder no key and no service is needed, and it holds what was exported."""
    run("export", str(tmp_path / "OUT"), "--sandbox", "--sandbox-collections", "4")

    process = spawn("dashboard", "OUT", "--port", "0")
    _, overview = asked(port_of(process), "/api/overview")
    process.send_signal(signal.SIGINT)
    process.communicate()

    assert 4 == json.loads(overview)["collections"]


def test_a_report_is_one_file(run: Run, tmp_path: Path) -> None:
    """By default it lies in the export's folder, and verifies as no part of it."""
    run("export", str(tmp_path / "OUT"), "--sandbox", "--sandbox-collections", "4")

    by_default = run("report", str(tmp_path / "OUT"))
    elsewhere = run("report", str(tmp_path / "OUT"), "--file", str(tmp_path / "r.html"))
    verified = run("verify", str(tmp_path / "OUT"))

    assert (0, 0, 0) == (by_default.status, elsewhere.status, verified.status)
    assert f"wrote {tmp_path / 'OUT' / 'report.html'}; open it in a browser\n" == by_default.err
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_report_of_an_export_by_its_url_lies_beside_it(run: Run, tmp_path: Path) -> None:
    """A ``file:`` URL is the folder that it names, for what is read and for what is written."""
    url = (tmp_path / "OUT").as_uri()
    exported = run("export", url, "--sandbox", "--sandbox-collections", "1")

    ended = run("report", url)

    assert (0, 0) == (exported.status, ended.status)
    assert (tmp_path / "OUT" / "report.html").is_file()


def test_a_report_that_cannot_be_written_is_one_sentence(run: Run, tmp_path: Path) -> None:
    """A folder that is not there is named."""
    run("export", str(tmp_path / "OUT"), "--sandbox", "--sandbox-collections", "1")

    ended = run("report", str(tmp_path / "OUT"), "--file", str(tmp_path / "no" / "r.html"))

    assert 1 == ended.status
    assert "No such file or directory" in ended.err
    assert "Traceback" not in ended.err


def test_an_address_of_ipv6_is_written_as_a_url_has_it() -> None:
    """The colons of the address stand in brackets."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        assert f"http://[::1]:{port}/" == _serving._address("::1", listener)


@pytest.mark.parametrize("host", ["127.0.0.1", "LOCALHOST", "127.1", "my-machine"])
def test_on_loopback_it_goes_by_no_name_of_others(host: str) -> None:
    """Whatever loopback is called, only that name and the usual ones are answered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        names = _serving._names(host, listener)

    assert frozenset({"127.0.0.1", "localhost", "[::1]", host.lower()}) == names


def test_where_others_reach_it_any_name_is_right() -> None:
    """Which names lead to a machine in a network is not ours to know."""
    with socket.create_server(("", 0)) as listener:
        assert _serving._names("0.0.0.0", listener) is None  # noqa: S104 - the point of the test


def test_the_service_of_the_environment_is_shown(server: Sandbox, spawn: Spawn) -> None:
    """Without a folder and without the sandbox it asks what the two variables name."""
    process = spawn("dashboard", "--port", "0")
    port = port_of(process)

    status, _ = asked(port, "/api/collections/1")

    assert 200 == status
    assert any(request.path == "/data-collections/1" for request in server.requests)
