"""``python -m benchmarks.outage``: the service is killed for a minute while a load generator asks the dashboard.

The service is a sandbox in a process of its own that gets SIGKILL and comes back on its port with one more run; between
it and ``wrk``, of the system's package, stands ``aegis-async dashboard``. What must hold: every request of a tab is
answered, the new run is shown within the interval, and the service is not stormed when it is back.
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from aiohttp import ClientSession
from yarl import URL

from benchmarks.rounds import Process

__all__ = ["Scale", "Seen", "faults", "markdown", "measure"]

_PAGE: Final = ("/", "/static/main.js", "/api/health", "/api/overview", "/api/overview?days=30", "/api/below")
_LISTS: Final = ("/api/collections?page=1", "/api/collections?search=nightly")
_CHANGED: Final = 3  # the collection that comes back with one more run
# Two looks at the listing, the watch's and a ping's, and up to four more at the collection that changed, for which tabs
# may have asked before that was known.
_BESIDE: Final = 6
_AFTER: Final = 1.0  # seconds after its return in which the service counts
_LOOK: Final = 0.02  # seconds between two looks at what the dashboard shows
_SCRIPT: Final = """
local paths, turn = {%s}, 0
request = function() turn = turn %% #paths + 1; return wrk.format("GET", paths[turn]) end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\\n{"requests": %%d, "refused": %%d, "broken": %%d, "p50": %%f, "p99": %%f, "longest": %%f}\\n',
    summary.requests, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, latency.max / 1e6))
end
"""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much there is to do.

    Attributes:
        outage: Seconds for which the service is gone.
        interval: Of the dashboard, in seconds.
        collections: Of the account.
        opened: Collections whose details the tabs ask for.
        tabs: Connections of the load generator.
    """

    outage: float = 60.0
    interval: float = 5.0
    collections: int = 100
    opened: int = 20
    tabs: int = 16


SHORT: Final = Scale(outage=5.0, interval=2.0)


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of it.

    Attributes:
        load: Of the load generator: requests, those refused, those broken off, and seconds of a request.
        during: The dashboard's statuses during the outage.
        fresh: Seconds from the service's return until the overview and the open collection showed the new run.
        live: Seconds from then until the dashboard called itself live.
        asked: How often the service was asked for each path in the first second after its return.
    """

    load: Mapping[str, float]
    during: frozenset[str]
    fresh: float
    live: float
    asked: Mapping[str, int]


async def measure(scale: Scale) -> Seen:
    """Let the load begin, kill the service, bring it back, and look at what the tabs and the service saw."""
    service = _Service(scale.collections)
    try:
        async with _dashboard(service, scale.interval) as url, ClientSession(url) as tab:
            paths = await _opened(tab, scale)
            total = scale.outage + 3 * scale.interval + _AFTER
            load = asyncio.create_task(_load(url, paths, scale.tabs, total))
            await asyncio.sleep(scale.interval)
            before = await _shown(tab)
            service.kill()
            during = await _statuses(tab, scale.outage)
            back = service.come_back()
            fresh = await _until_fresh(tab, (before[0] + 1, before[1] + 1)) - back
            live = await _until_live(tab) - back
            await asyncio.sleep(max(0.0, back + _AFTER - time.monotonic()))
            return Seen(await load, during, fresh, live, service.asked(back + _AFTER))
    finally:
        service.close()


def faults(scale: Scale, seen: Seen) -> list[str]:
    """Say what did not hold."""
    bound = scale.opened + _BESIDE
    held = {
        "a request of a tab was refused or broken off": seen.load["refused"] + seen.load["broken"] == 0,
        "the load was no load": seen.load["requests"] > 100 * scale.outage,
        "the outage was not said": "down" in seen.during,
        f"the new run was shown later than {scale.interval} s after the return": seen.fresh <= scale.interval,
        f"the service got more than {bound} requests in its first second": sum(seen.asked.values()) <= bound,
    }
    return [fault for fault, holds in held.items() if not holds]


def markdown(scale: Scale, seen: Seen) -> str:
    """Give the figures as a table."""
    load, asked = seen.load, sum(seen.asked.values())
    rows = {
        f"requests of {scale.tabs} tabs": f"{load['requests']:,.0f}",
        "refused, broken off": f"{load['refused']:.0f}, {load['broken']:.0f}",
        "median, 99th percentile, longest": f"{load['p50']:.3f} s, {load['p99']:.3f} s, {load['longest']:.3f} s",
        "statuses during the outage": ", ".join(sorted(seen.during)),
        f"new run shown, of {scale.interval:g} s allowed": f"{seen.fresh:.2f} s after the return",
        "live again": f"{seen.live:.2f} s after the return",
        f"requests at the service in its first second, of {scale.opened + _BESIDE} allowed": str(asked),
    }
    head = [f"| outage of {scale.outage:g} s | |", "|---|---|"]
    return "\n".join(head + [f"| {name} | {value} |" for name, value in rows.items()])


class _Service:
    def __init__(self, collections: int) -> None:
        self._collections = collections
        self._start(port=0, changed=0)

    def _start(self, port: int, changed: int) -> float:
        self._process = Process(0, "outage_service", port, self._collections, changed)
        self.url, self.key, listening = self._process.read().split()
        return float(listening)

    def kill(self) -> None:
        self._process.kill()

    def come_back(self) -> float:
        """Listen on the same port again, and give the instant of that."""
        port = URL(self.url).port
        return self._start(port or 0, _CHANGED)

    def asked(self, until: float) -> Counter[str]:
        return Counter(path for at, path in json.loads(self._process.ask("")) if at <= until)

    def close(self) -> None:
        self._process.close()


@asynccontextmanager
async def _dashboard(service: _Service, interval: float) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "aegis_async", "dashboard", "--port", "0", "--interval", str(interval)),
        env={**os.environ, "AEGIS_API_KEY": service.key, "AEGIS_BASE_URL": service.url},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None  # noqa: S101 - it is a pipe
    try:
        url = await _address(process.stderr)
        drained = asyncio.create_task(process.stderr.read())  # what it logs in the outage must not fill the pipe
        yield url
        process.terminate()
        await drained
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _address(said: asyncio.StreamReader) -> str:
    lines = []
    async for line in said:
        lines.append(line.decode())
        if lines[-1].startswith("dashboard at "):
            return lines[-1].split()[2].rstrip("/;")
    raise RuntimeError(f"the dashboard did not begin: {''.join(lines)}")


async def _opened(tab: ClientSession, scale: Scale) -> list[str]:
    """Open every path once, so that all of them have been answered before."""
    await _until_live(tab)
    paths = [*_PAGE, *_LISTS]
    for id_ in range(1, scale.opened + 1):
        paths.append(f"/api/collections/{id_}")
        runs = (await _get(tab, paths[-1]))["runs"]
        paths += [f"/api/collections/{id_}/runs/{run['id']}" for run in runs[:1]]
    for path in paths:
        async with tab.get(path) as answer:
            answer.raise_for_status()
    return paths


async def _load(url: str, paths: list[str], tabs: int, seconds: float) -> dict[str, float]:
    with TemporaryDirectory() as folder:
        script = Path(folder, "tabs.lua")
        script.write_text(  # noqa: ASYNC240 - before the load begins
            _SCRIPT % ", ".join(map(json.dumps, paths)), encoding="utf-8"
        )
        process = await asyncio.create_subprocess_exec(
            *("wrk", "-t", "1", "-c", str(tabs), "-d", f"{round(seconds)}s", "--timeout", "20s"),
            *("-s", str(script), url),
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate()
    load: dict[str, float] = json.loads(printed.decode().splitlines()[-1])
    return load


async def _statuses(tab: ClientSession, seconds: float) -> frozenset[str]:
    seen, end = set[str](), time.monotonic() + seconds
    while time.monotonic() < end:
        seen.add((await _get(tab, "/api/health"))["status"])
        await asyncio.sleep(_LOOK)
    return frozenset(seen)


async def _shown(tab: ClientSession) -> tuple[int, int]:
    """Give the runs of the account and of the collection that will have one more, as the dashboard shows them."""
    overview, collection = await _get(tab, "/api/overview"), await _get(tab, f"/api/collections/{_CHANGED}")
    return overview["numbers"]["runs"], collection["total_runs"]


async def _until_fresh(tab: ClientSession, wanted: tuple[int, int]) -> float:
    while await _shown(tab) != wanted:  # noqa: ASYNC110 - another process's doing
        await asyncio.sleep(_LOOK)
    return time.monotonic()


async def _until_live(tab: ClientSession) -> float:
    while (await _get(tab, "/api/health"))["status"] != "live":  # noqa: ASYNC110 - likewise
        await asyncio.sleep(_LOOK)
    return time.monotonic()


async def _get(tab: ClientSession, path: str) -> Any:
    async with tab.get(path) as answer:
        answer.raise_for_status()
        return await answer.json()


def main() -> int:
    """Measure, print, and tell by the status whether everything held."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outage", description=__doc__)
    parser.add_argument("--seconds", type=float, default=Scale().outage, help="of the outage (default: %(default)s)")
    parser.add_argument(
        "--interval", type=float, default=Scale().interval, help="of the dashboard (default: %(default)s)"
    )
    parser.add_argument("--short", action="store_true", help="five seconds, with an interval of two")
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        parser.error("wrk is not installed (apt-get install wrk)")
    scale = SHORT if given.short else Scale(outage=given.seconds, interval=given.interval)
    seen = asyncio.run(measure(scale))
    found = faults(scale, seen)
    print(markdown(scale, seen))
    print("\nall is well" if not found else "\n" + "\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
