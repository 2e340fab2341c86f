"""The questions that are put to the simulated cluster, each as a row of plans."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from benchmarks.cluster_bounds import recommended
from benchmarks.cluster_costs import Costs
from benchmarks.cluster_plan import Plan

__all__ = [
    "ASKED",
    "CHANGES",
    "FAILURES",
    "KEYS",
    "LATENCIES",
    "PARTITIONED",
    "PARTITIONS",
    "PER_KEY",
    "RATES",
    "SLOTS",
    "WORKERS",
    "sweeps",
]

WORKERS: Final = (1, 2, 5, 10, 20, 50, 100, 200)
KEYS: Final = (1, 2, 5, 10, 20, 50)
RATES: Final = (40.0, 400.0)
"""Requests a second for a key: nobody has published the service's own."""

PARTITIONS: Final = (100, 250, 500, 1000, 2500, 5000, 10_000)
PARTITIONED: Final = ((0.0, False), (0.0, True), (10.0, True))
"""Crashes an hour of each worker, and whether commits are grouped."""

ASKED: Final = (1.0, 0.9, 1.1, 0.0)
"""What a key's limiter holds, as a share of what the service allows; 0 is no limiter."""

PER_KEY: Final = (1, 2, 4, 8, 16, 32)
LATENCIES: Final = (0.02, 0.1, 0.5)
SLOTS: Final = (1, 2, 4, 8, 16, 32, 64)

_THROTTLED: Final = {"throttles": 12.0, "retry_after": 10.0}
_SOUND: Final = Plan(workers=20, keys=5, rate=400.0, seed=2)  # as many deaths as one expects; with 0 there is none
FAILURES: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {
        "nothing": {},
        "1 % of the requests": {"faults": 0.01},
        "10 % of the requests": {"faults": 0.1},
        "each key refused for 10 s, 12 times an hour": _THROTTLED,
        "each worker dies once an hour": {"crashes": 1.0},
        "each worker dies 10 times an hour": {"crashes": 10.0},
        "all of it: 10 %, 12 times, 10 times": {"faults": 0.1, "crashes": 10.0, **_THROTTLED},
    }
)
"""What fails, by its name."""

_WIDE: Final = Plan(workers=200, keys=50, rate=400.0)
CHANGES: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "as it is": {},
        "without compression": {"coding": 1.0},
        "32 pages of the listing ahead instead of 8": {"prefetch": 32},
        "the same, and partitions of 1,000 instead of 500": {"prefetch": 32, "partition": 1000},
        "the same as the third, and one commit for all reports that wait": {"prefetch": 32, "grouped": True},
    }
)
"""What is changed on the widest cluster, by its name."""


def sweeps(costs: Costs) -> dict[str, list[Plan]]:
    """Give the plans of each question.

    How many workers and keys, how large a partition, what a limiter is for, how many requests at once, what failures
    cost, what else holds up the widest cluster, and whether what is recommended is good.
    """
    return {
        "size": [Plan(workers=w, keys=k, rate=r) for r in RATES for k in KEYS for w in WORKERS],
        "partition": [
            Plan(workers=100, keys=50, rate=400.0, prefetch=32, partition=size, crashes=crashes, grouped=grouped)
            for crashes, grouped in PARTITIONED
            for size in PARTITIONS
        ],
        "limiter": [Plan(workers=w, keys=1, rate=400.0, asked=asked) for asked in ASKED for w in PER_KEY],
        "concurrency": [
            Plan(workers=10, keys=10, rate=400.0, concurrency=slots, latency=latency)
            for latency in LATENCIES
            for slots in SLOTS
        ],
        "failures": [msgspec.structs.replace(_SOUND, **failure) for failure in FAILURES.values()],
        "wide": [msgspec.structs.replace(_WIDE, **change) for change in CHANGES.values()],
        "settings": [recommended(keys, rate, costs) for rate in RATES for keys in KEYS],
    }
