"""What the tests of the command line share: sandboxes in a thread, and commands in this process or one of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from aegis_async.cli import main
from aegis_async.sandbox import Sandbox
from tests.cli.ends import Ended, Process, Run, Spawn


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process."""

    def run_(*argv: str) -> Ended:
        status = main(argv)
        return Ended(status, *capsys.readouterr())

    return run_


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A service of six collections that the environment points to, so that faults can be scripted."""
    with Sandbox(collections=6) as running:
        for name, value in running.env.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Spawn]:
    """Start a command as a process of its own, in an empty folder; end it with the test."""
    started: list[Process] = []

    def spawn_(
        *argv: str,
        env: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
    ) -> Process:
        process = subprocess.Popen(  # noqa: S603 - this interpreter and arguments of ours
            [sys.executable, "-m", "aegis_async", *argv],
            cwd=tmp_path,
            env={**os.environ, **(env or {})},
            text=True,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
        )
        started.append(process)
        return process

    yield spawn_
    for process in started:
        with process:
            process.kill()
