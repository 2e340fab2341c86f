"""``python -m benchmarks.quick_faults``: an outage of quick 503s, a minute of real time, counted at the service.

Fifty callers share one client with its default settings and ask again as soon as they are answered, or after a pause.
The service is a sandbox in a process of its own. What must hold: two thousand calls and more, every one of them ended
with the service's own error, and no more than 1.2 requests a call.
"""

import argparse
import asyncio
import json
import logging
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aegis_async import AegisClient
from aegis_async.errors import ServerError
from aegis_async.sandbox import Sandbox
from benchmarks.rounds import Process

__all__ = ["Scale", "Seen", "faults", "markdown", "measure"]

_BOUND: Final = 1.2  # requests a call
_LEAST: Final = 2000  # calls
_AIM: Final = 4000  # calls of those who pause, so that there are enough of them whatever their retries take


@dataclass(frozen=True, slots=True)
class Scale:
    """How much there is to do.

    Attributes:
        outage: Seconds, at least, for which every request is answered with 503 at once.
        callers: Tasks in a loop.
    """

    outage: float = 60.0
    callers: int = 50

    @property
    def pause(self) -> float:
        """Seconds that a caller who is not in a hurry waits between two calls."""
        return self.outage * self.callers / _AIM


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one outage.

    Attributes:
        seconds: From the first call to the end of the last.
        calls: That ended with the service's 503.
        requests: At the service.
        early: Requests at the service when two thousand calls had ended, 0 if they never had.
    """

    seconds: float
    calls: int
    requests: int
    early: int

    @property
    def each(self) -> float:
        """Give the requests a call."""
        return self.requests / max(1, self.calls)


async def measure(scale: Scale) -> dict[str, Seen]:
    """Let the callers loop through an outage without a pause, and through another with one."""
    return {
        "at once": await _outage(scale, 0.0),
        f"after {scale.pause:g} s": await _outage(scale, scale.pause),
    }


async def _outage(scale: Scale, pause: float) -> Seen:
    service = Process(None, "quick_faults", "--serve")
    try:
        url, key = service.read().split()
        ended: list[float] = []
        made = AegisClient(key, base_url=url)
        begun = time.monotonic()
        async with made as client:
            looping = (
                _caller(client, number, begun + scale.outage, pause, ended) for number in range(1, scale.callers + 1)
            )
            await asyncio.gather(*looping)
        arrived = json.loads(service.ask(""))
    finally:
        service.close()
    early = sum(at <= ended[_LEAST - 1] for at in arrived) if len(ended) >= _LEAST else 0
    return Seen(ended[-1] - begun, len(ended), len(arrived), early)


async def _caller(client: AegisClient, id_: int, until: float, pause: float, ended: list[float]) -> None:
    """Ask for a collection of one's own, so that no two calls share a request."""
    while time.monotonic() < until or len(ended) < _LEAST:  # a busy machine takes longer for as many
        try:
            await client.data_collections.get(id_)
        except ServerError:
            ended.append(time.monotonic())
        else:
            raise RuntimeError("the service answered in its outage")
        await asyncio.sleep(pause)


def faults(seen: Mapping[str, Seen]) -> list[str]:
    """Say what did not hold."""
    found = []
    for name, one in seen.items():
        if one.calls < _LEAST:
            found.append(f"{name}: {one.calls} calls, fewer than {_LEAST}")
        if one.each > _BOUND:
            found.append(f"{name}: {one.each:.3f} requests a call, more than {_BOUND}")
    return found


def markdown(scale: Scale, seen: Mapping[str, Seen]) -> str:
    """Give the figures as a table."""
    head = [
        f"| {scale.callers} callers ask again | for, s | calls | requests | a call | in the first {_LEAST:,} |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    rows = (
        f"| {name} | {one.seconds:.1f} | {one.calls:,} | {one.requests:,} | {one.each:.4f} | {one.early / _LEAST:.4f} |"
        for name, one in seen.items()
    )
    return "\n".join([*head, *rows])


def _serve() -> None:
    with Sandbox(collections=1) as sandbox:
        sandbox.fail(status=503, times=None)
        print(sandbox.url, sandbox.api_key, flush=True)
        for _ in sys.stdin:
            print(json.dumps([request.at for request in sandbox.requests]), flush=True)


def main() -> int:
    """Measure, print, and tell by the status whether the bound held."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quick_faults", description=__doc__)
    parser.add_argument("--seconds", type=float, default=Scale().outage, help="of each outage (default: %(default)s)")
    parser.add_argument("--short", action="store_true", help="eight seconds")
    parser.add_argument("--serve", action="store_true", help="be the service, which prints its address and key")
    given = parser.parse_args()
    if given.serve:
        _serve()
        return 0
    logging.getLogger("aegis_async").setLevel(logging.ERROR)  # each retry is a warning
    scale = Scale(outage=8.0 if given.short else given.seconds)
    seen = asyncio.run(measure(scale))
    print(markdown(scale, seen))
    found = faults(seen)
    print("\nall is well" if not found else "\n" + "\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
