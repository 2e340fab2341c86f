"""The check of an export as a command."""

from pathlib import Path

from aegis_async.sandbox import Sandbox
from tests.cli.ends import Run


def test_a_sound_export_ends_with_0(server: Sandbox, run: Run, tmp_path: Path) -> None:
    """It says so, and asks no service."""
    run("export", str(tmp_path))
    server.clear_requests()

    ended = run("verify", str(tmp_path))

    assert (0, f"{tmp_path} is whole\n") == (ended.status, ended.out)
    assert [] == server.requests


def test_a_fault_ends_with_1_and_a_line(server: Sandbox, run: Run, tmp_path: Path) -> None:
    """Each fault is a line on standard output."""
    del server
    run("export", str(tmp_path))
    for file in (tmp_path / "runs").iterdir():
        file.unlink()

    ended = run("verify", str(tmp_path))

    assert 1 == ended.status
    assert ended.out.endswith("runs/000001-0001.parquet: No such file or directory\n")


def test_it_compares_with_the_service_when_asked(server: Sandbox, run: Run, tmp_path: Path) -> None:
    """What has changed since is a fault of the export."""
    run("export", str(tmp_path))
    server.add()

    ended = run("verify", str(tmp_path), "--against-service")

    assert (1, "collection 7 is listed, and not held\n") == (ended.status, ended.out)


def test_what_is_no_export_ends_with_1(run: Run, tmp_path: Path) -> None:
    """One sentence, no traceback."""
    ended = run("verify", str(tmp_path))

    assert (1, f"aegis-async: {tmp_path} is no export: it has no _commits\n") == (ended.status, ended.err)
