"""The processes of a Ray that a test started: found by their descent, so that no other is ever touched."""

import os
import signal
from pathlib import Path

__all__ = ["kill", "kill_a_worker", "workers"]


def workers() -> list[int]:
    """Give the ids of the export's workers that this process, or one of its children, began."""
    return _actors("Worker")


def kill_a_worker() -> None:
    """Kill one of them at once."""
    kill("Worker")


def kill(actor: str) -> None:
    """Kill the first process of an actor's class at once."""
    os.kill(_actors(actor)[0], signal.SIGKILL)


def _actors(name: str) -> list[int]:
    return sorted(pid for pid in _descendants(os.getpid()) if _title(pid).startswith(f"ray::{name}"))


def _descendants(root: int) -> set[int]:
    parents = {int(entry.name): _parent(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    return found - {root}


def _parent(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError):  # it has ended meanwhile
        return -1


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
