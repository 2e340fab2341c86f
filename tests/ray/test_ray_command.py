"""The command with workers on a Ray of its own: signals, and the key, which is in no file."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aegis_async.export import read_report, verify
from aegis_async.sandbox import Sandbox
from tests.ray.conftest import COLLECTIONS

pytestmark = pytest.mark.ray

_COMMAND = [sys.executable, "-m", "aegis_async", "export"]


def begun(sandbox: Sandbox, out: Path, temporary: Path) -> "subprocess.Popen[str]":
    """Start the command in a session of its own, with Ray's files under a folder of the test's."""
    return subprocess.Popen(  # noqa: S603 - this interpreter and a module of ours
        [*_COMMAND, str(out), "--engine", "ray", "--workers", "2", "--batch-bytes", "1", "--concurrency", "2", "-v"],
        env={**os.environ, **sandbox.env, "RAY_TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short path: sockets are in it."""
    return tmp_path_factory.mktemp("r")


def test_no_key_is_in_a_file_or_in_the_output(tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither Ray's logs and session, nor the folder, nor what is printed holds one, even where a worker fails."""
    with Sandbox(collections=COLLECTIONS, keys=2) as sandbox:
        sandbox.fail("/data-collections/3", status=500, times=None)
        monkeypatch.setenv("AEGIS_API_KEYS", sandbox.api_keys[1])
        with begun(sandbox, tmp_path, temporary) as command:
            printed = "".join(command.communicate())

    logs = list(temporary.rglob("*.log"))
    assert 3 == command.returncode, printed
    assert logs
    assert {0, 1} == {request.key for request in sandbox.requests}
    for key in sandbox.api_keys:
        assert key not in printed
        assert [] == [file for file in files(temporary, tmp_path) if key.encode() in file.read_bytes()]


def files(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("number", "status"), [pytest.param(signal.SIGINT, 130, marks=pytest.mark.long), (signal.SIGTERM, 143)]
)
def test_a_signal_commits_what_is_reported(number: int, status: int, tmp_path: Path, temporary: Path) -> None:
    """It ends with the status of the signal, its report says so, and what was delivered is kept."""
    with Sandbox(collections=400, latency=0.05) as sandbox, begun(sandbox, tmp_path, temporary) as command:
        assert command.stderr is not None
        for line in command.stderr:
            if " of 400 collections" in line:
                break
        # A terminal interrupts all that it began, Ray's processes with it; a service manager asks the command to end.
        (os.killpg if number == signal.SIGINT else os.kill)(command.pid, number)
        printed = "".join(command.communicate())

    report = read_report(tmp_path)
    assert status == command.returncode, printed
    assert "interrupted" == report.status
    assert 1 <= report.fetched < 400
    assert "Traceback" not in printed
    assert all("are held" in fault for fault in verify(tmp_path))
