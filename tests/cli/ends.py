"""How a command ends in a test, and the fixtures' types."""

import subprocess
from collections.abc import Callable
from typing import NamedTuple

Process = subprocess.Popen[str]


class Ended(NamedTuple):
    """How a command ended, and what it wrote."""

    status: int
    out: str
    err: str


Run = Callable[..., Ended]
Spawn = Callable[..., Process]
