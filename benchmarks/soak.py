"""``python -m benchmarks.soak``: many callers against a service that fails often, and what is left afterwards."""

import argparse
import asyncio
import gc
import random
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from aegis_async import AegisClient, ClientStats, RetryPolicy, Timeout
from aegis_async.errors import AegisError, DeadlineExceededError, DecodeError, RequestError, StatusError
from aegis_async.sandbox import Sandbox

__all__ = ["FAULTS", "Report", "faults", "soak"]

FAULTS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "429 with a pause": {"status": 429, "retry_after": 0.02},
        "429": {"status": 429},
        "500": {"status": 500},
        "502": {"status": 502},
        "503": {"status": 503},
        "503 with a pause": {"status": 503, "retry_after": 0.02},
        "404": {"status": 404},
        "reset": {"reset": True},
        "cut body": {"cut_body": 200},
        "reset in the body": {"cut_body": 200, "reset": True},
        "JSON that breaks off": {"body": '{"id": 1, "na'},
        "a page instead of JSON": {"body": "<html>busy</html>"},
        "too slow": {"delay": 6.0},
    }
)
"""What may happen to a request; the last one meets the limit of an attempt."""

_SHARE: Final = 0.1  # of the requests meet a fault
_DEADLINE: Final = 15.0  # seconds for a call: more than its attempts take, not always more than its pauses too
_LATE: Final = 1.0  # seconds that a busy loop may take to tell of a deadline
_LEAST: Final = 0.8  # of the calls must succeed: where all of them fail, nothing of this is shown
_EXPECTED: Final = (RequestError, StatusError, DecodeError, DeadlineExceededError)
_SETTLED_AFTER: Final = 2000  # requests after which memory is compared


@dataclass
class Report:
    """What came of it.

    Attributes:
        outcomes: How many calls ended how.
        wrong: Calls that ended with something else than their own collection or an error of ours.
        tasks: Tasks that were left.
        longest: Seconds that the longest call took.
        sockets: File descriptors more than before.
        grown: Bytes of traced memory more than after the first two thousand calls, None where not traced.
        stats: The client's own, at its end.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    tasks: int = 0
    longest: float = 0.0
    sockets: int = 0
    grown: int | None = None
    stats: ClientStats | None = None


async def soak(callers: int, requests: int, seed: int = 0) -> Report:
    """Let ``callers`` make ``requests`` calls each, a tenth of them with a fault, and look at what is left."""
    report, chance = Report(), random.Random(seed)
    with Sandbox(collections=20) as sandbox:
        sockets = _descriptors()
        made = AegisClient(
            sandbox.api_key,
            base_url=sandbox.url,
            timeout=Timeout(attempt=2.0),
            max_concurrency=8,  # client and service share an interpreter, which traces memory: more would only queue
            retry=RetryPolicy(initial=0.005, maximum=0.02),
            single_flight=False,  # else most calls would share another's request
        )
        async with made as client:
            view = client.with_options(deadline=_DEADLINE)
            calls = [_caller(view, sandbox, chance, requests, report) for _ in range(callers)]
            await asyncio.gather(*calls)
        report.stats = made.stats()
        if tracemalloc.is_tracing():
            gc.collect()
            report.grown = tracemalloc.get_traced_memory()[0] - (report.grown or 0)
        await asyncio.sleep(0)
        report.tasks = len(asyncio.all_tasks()) - 1
        report.sockets = await _left_open(sockets)
    return report


async def _caller(client: AegisClient, sandbox: Sandbox, chance: random.Random, requests: int, report: Report) -> None:
    for _ in range(requests):
        id_ = chance.randint(1, 20)
        if chance.random() < _SHARE:
            sandbox.fail(**FAULTS[chance.choice(list(FAULTS))])
        begun = time.monotonic()
        try:
            value = await client.data_collections.get(id_)
        except _EXPECTED as error:
            report.outcomes[type(error).__name__] += 1
        except AegisError as error:
            report.wrong.append(f"{id_}: {error!r}")
        else:
            report.outcomes["value"] += 1
            if value.id != id_:
                report.wrong.append(f"{id_}: got {value.id}")
        report.longest = max(report.longest, time.monotonic() - begun)
        _measure(report, sandbox)


def _measure(report: Report, sandbox: Sandbox) -> None:
    done = report.outcomes.total()
    if done % 500 == 0:
        sandbox.clear_requests()  # they are the sandbox's memory, not the client's
    if done == _SETTLED_AFTER and tracemalloc.is_tracing():
        gc.collect()
        report.grown = tracemalloc.get_traced_memory()[0]


async def _left_open(before: int) -> int:
    for _ in range(100):  # the server, in a thread of its own, takes a moment to see that a connection is closed
        if _descriptors() <= before:
            break
        await asyncio.sleep(0.01)
    return _descriptors() - before


def _descriptors() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def faults(report: Report) -> list[str]:
    """Say what did not hold."""
    values, total = report.outcomes["value"], report.outcomes.total()
    held = {
        f"calls ended wrongly: {report.wrong[:5]}": not report.wrong,
        f"left: {report.tasks} tasks, {report.sockets} sockets": not (report.tasks or report.sockets),
        f"the longest call took {report.longest:.2f} s": report.longest <= _DEADLINE + _LATE,
        f"memory grew by {report.grown} bytes": (report.grown or 0) < 1 << 20,
        f"only {values} of {total} calls succeeded: a busy machine?": values >= _LEAST * total,
    }
    return [fault for fault, holds in held.items() if not holds]


def main() -> int:
    """Soak, print what came of it, and tell by the status whether all is well."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--callers", type=int, default=50)
    parser.add_argument("--requests", type=int, default=200, help="calls of each caller")
    given = parser.parse_args()
    tracemalloc.start()
    report = asyncio.run(soak(given.callers, given.requests))
    print(report)
    print(f"longest call {report.longest:.2f} s, with a deadline of {_DEADLINE:g} s")
    found = faults(report)
    print("\n".join(found) or "all is well")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
