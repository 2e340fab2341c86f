"""What arithmetic says of a cluster: how long each resource needs at least, and what to set for a rate."""

from math import ceil

import msgspec

from benchmarks.cluster_costs import Costs
from benchmarks.cluster_plan import Plan

__all__ = ["alone", "bounds", "recommended"]

_ROOM = 1.1  # workers for so many times what a key allows, because none works all of the time
_TURNS = 10  # partitions a worker, so that the last ones are a small part of its time


def bounds(plan: Plan, costs: Costs) -> dict[str, float]:
    """Give the seconds that each resource needs at least, whatever the others do and nothing fails."""
    pages = ceil(plan.collections / plan.page)
    requests = plan.collections + pages
    partitions = ceil(plan.collections / plan.partition)
    return {
        "cpu": plan.collections * costs.collection / plan.workers,
        "rate": requests / (min(plan.keys, plan.workers) * plan.rate) - plan.burst,
        "slots": plan.collections * plan.latency / plan.concurrency / plan.workers,
        "link": plan.collections * costs.size * plan.coding / plan.link,
        "commits": plan.put * (1 if plan.grouped else partitions),
        "listing": pages * max(plan.page_latency / plan.prefetch, plan.page * costs.item),
    }


def alone(plan: Plan, costs: Costs) -> float:
    """Give the seconds of one worker whose processor decides: its work, and between two partitions a first step."""
    partitions = plan.collections / plan.partition
    first = max(plan.latency, plan.partition / 10 * plan.latency / plan.concurrency)
    return costs.begin + plan.page_latency + plan.collections * costs.collection + partitions * (first + plan.put)


def recommended(keys: int, rate: float, costs: Costs) -> Plan:
    """Give the workers, slots and partitions for so many keys of a rate; the rest stays as it is by default."""
    workers = max(keys, ceil(keys * rate * costs.collection * _ROOM))
    plan = Plan(workers=workers, keys=keys, rate=rate)
    return msgspec.structs.replace(
        plan,
        concurrency=max(2, ceil(2 * plan.latency / costs.collection)),
        partition=max(100, min(1000, plan.collections // (_TURNS * workers))),
        prefetch=32,
        grouped=True,
    )
