"""How much memory this process has, and had at most."""

import resource
from pathlib import Path
from typing import Final

__all__ = ["held", "largest", "reset_largest"]

_STATUS: Final = Path("/proc/self/status")
_FORGET: Final = Path("/proc/self/clear_refs")
_PEAK: Final = "5"  # what resets the high-water mark, by proc(5)


def held() -> int:
    """Give the bytes that the process has now; where the system does not say, what it had at most."""
    return _line("VmRSS:")


def largest() -> int:
    """Give the bytes that it had at most since `reset_largest`, or since its start where that does nothing."""
    return _line("VmHWM:")


def reset_largest() -> None:
    """Forget what it had at most, where the system can."""
    if _FORGET.exists():
        _FORGET.write_text(_PEAK, encoding="ascii")


def _line(name: str) -> int:
    if not _STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024
