"""Scripted faults: what goes wrong, for which requests, how often."""

import math
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from threading import Lock
from typing import Final

_STATUSES: Final = range(200, 600)
_HEADER_BREAKERS: Final = re.compile(r"[\x00\r\n]")


@dataclass(frozen=True, slots=True)
class Fault:
    """One scripted fault; what is None leaves the true answer as it is."""

    path: str
    status: int | None
    retry_after: str | None
    delay: float
    cut_body: int | None
    reset: bool
    body: bytes | None

    def __post_init__(self) -> None:
        if self.status is not None and self.status not in _STATUSES:
            raise ValueError(f"status must be between 200 and 599, not {self.status}")
        if self.retry_after is not None and _HEADER_BREAKERS.search(self.retry_after):
            raise ValueError("retry_after must fit in one header line")
        if not self.delay >= 0:
            raise ValueError(f"delay must be 0 seconds or more, not {self.delay}")
        if self.cut_body is not None and self.cut_body < 0:
            raise ValueError(f"cut_body must be 0 bytes or more, not {self.cut_body}")


class FaultPlan:
    """The faults still to come, in the order of scripting; every method may be called from any thread."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Fault, float]] = []
        self._lock = Lock()

    def script(self, fault: Fault, times: float | None) -> None:
        """Add a fault that happens so many times, or for ever when None.

        Raises:
            ValueError: ``times`` is no whole number of times.
        """
        left = math.inf if times is None else times
        if not (left == math.inf or (left >= 1 and left == int(left))):
            raise ValueError(f"times must be a whole number from 1 on, inf or None, not {times}")
        with self._lock:
            self._waiting.append((fault, left))

    def take(self, path: str) -> Fault | None:
        """Use up the first fault that is meant for this path, if there is one."""
        with self._lock:
            for place, (fault, left) in enumerate(self._waiting):
                if fnmatchcase(path, fault.path):
                    self._waiting[place : place + 1] = [(fault, left - 1)] if left > 1 else []
                    return fault
        return None

    def clear(self) -> None:
        """Forget every fault."""
        with self._lock:
            self._waiting.clear()
