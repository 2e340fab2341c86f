"""What one run of everything found: kept as JSON, and made into figures by the report."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.contender import Batch
from benchmarks.exports import Exports
from benchmarks.growth import Growth
from benchmarks.rounds import Results
from benchmarks.siblings import Table
from benchmarks.start import Begins
from benchmarks.walks import Walks
from benchmarks.works import WORKS, Scale

__all__ = ["FOLDER", "Run", "Where", "cost", "costs", "here", "read", "write"]

FOLDER: Final = Path(__file__).parent / "results"
_PACKAGES: Final = (
    *("aegis-async", "aiohttp", "msgspec", "tenacity", "isal", "backports.zstd", "uvloop", "pyarrow"),
    *("httpx", "pydantic", "githubkit", "openai", "dlt"),
)


class Where(msgspec.Struct, frozen=True):
    """Where and when it ran.

    Attributes:
        at: When it began.
        cores: How many this process could use.
        load: The system's load average over the minute before.
        versions: Of Python and of each package that took part.
    """

    at: datetime
    cores: int
    load: float
    versions: dict[str, str]


class Run(msgspec.Struct, frozen=True):
    """Everything of one run; a part that did not run is None.

    Attributes:
        where: Where it ran.
        scale: How much was in one lap.
        works: The interleaved batches.
        walks: Whole listings, each in a process of its own.
        begins: Processes from start to end.
        large: One large body each, as ``benchmarks.large`` shows them.
        exports: Whole exports.
        growth: How time grows with the number of workers and of ids.
    """

    where: Where
    scale: Scale
    works: Results = {}
    walks: Walks = {}
    begins: Begins = {}
    large: Table = []
    exports: Exports = {}
    growth: Growth = {}


def here() -> Where:
    """Say where and when this is."""
    found = {name: version(name) for name in _PACKAGES}
    return Where(
        datetime.now(UTC), os.cpu_count() or 1, os.getloadavg()[0], {"Python": platform.python_version(), **found}
    )


def cost(work: str, batch: Batch) -> float:
    """Give the seconds of one lap that count: of CPU time, or of the clock where most of it is waiting."""
    return (batch.wall if WORKS[work].waits else batch.cpu) / batch.laps


def costs(run: Run, work: str, who: str) -> list[float]:
    """Give these of every round."""
    return [cost(work, batch) for batch in run.works[work][who]]


def read(file: Path) -> Run:
    """Read one run."""
    return msgspec.json.decode(file.read_bytes(), type=Run)


def write(run: Run, file: Path) -> None:
    """Write one run, a batch a line."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=0) + b"\n")
