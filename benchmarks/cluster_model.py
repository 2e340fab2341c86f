"""The cluster as a discrete simulation: a driver that lists and commits, workers that fetch partitions.

One step is a tenth of a partition. What a step needs, a key's rate, slots, the link, the worker's processor, is served
one after the other by lines; a worker asks ahead for as much as one step that waits for its processor.
"""

import random
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from typing import Any, Final, TypeAlias

import simpy

from benchmarks.cluster_costs import Costs
from benchmarks.cluster_lines import Admission, Line
from benchmarks.cluster_plan import Outcome, Plan

__all__ = ["simulate"]

_Steps: TypeAlias = Generator[simpy.Event, Any, None]

_STEPS: Final = 10  # of a partition
_HOUR: Final = 3600.0
_RELEASE: Final = 0.25  # of a pause: the span in which those who waited come back, as the client spreads them
_SHORTEST, _LONGEST = 0.25, 5.0  # seconds of that span


@dataclass(frozen=True, slots=True)
class _Partition:
    number: int
    collections: int

    def steps(self) -> Iterator[int]:
        """Give the collections of each step."""
        bounds = [self.collections * step // _STEPS for step in range(_STEPS + 1)]
        return (end - begin for begin, end in pairwise(bounds) if end > begin)


@dataclass(slots=True)
class _Pause:
    """Until when nobody who shares it may ask."""

    until: float = 0.0


@dataclass(slots=True)
class _Key:
    limit: Line | None
    service: Admission
    pause: _Pause
    throttled: float = inf  # when the service will next refuse it
    refuses: float = 0.0  # until when it does


@dataclass(slots=True)
class _Worker:
    key: _Key
    pause: _Pause
    slots: Line
    crash: float
    cpu: Line = field(default_factory=lambda: Line(1.0))


@dataclass(slots=True)
class _Counts:
    requests: int = 0
    refused: int = 0
    repeated: int = 0
    crashes: int = 0
    commits: int = 0
    committing: float = 0.0
    listing: float = 0.0


class _Cluster:
    def __init__(self, plan: Plan, costs: Costs) -> None:
        self._plan, self._costs = plan, costs
        self._env = simpy.Environment()
        self._chance = random.Random(plan.seed)
        self._todo, self._reports = simpy.Store(self._env), simpy.Store(self._env)
        self._link = Line(plan.link)
        self._driver = Line(1.0)
        self._counts = _Counts()
        self._keys = [self._key() for _ in range(plan.keys)]
        self._workers = [self._worker(self._keys[number % plan.keys]) for number in range(plan.workers)]
        each, rest = divmod(plan.collections, plan.partition)
        sizes = [plan.partition] * each + [rest] * (rest > 0)
        self._partitions = [_Partition(number, size) for number, size in enumerate(sizes)]
        self._committed = [0] * len(sizes)

    def _key(self) -> _Key:
        plan = self._plan
        limit = Line(plan.rate * plan.asked) if plan.asked else None
        return _Key(limit, Admission(plan.rate, plan.burst), _Pause(), self._after(0.0, plan.throttles))

    def _worker(self, key: _Key) -> _Worker:
        plan = self._plan
        shared = key.pause if key.limit else _Pause()
        return _Worker(key, shared, Line(plan.concurrency / plan.latency), self._after(0.0, plan.crashes))

    def _after(self, now: float, hourly: float) -> float:
        return now + self._chance.expovariate(hourly / _HOUR) if hourly else inf

    def run(self) -> Outcome:
        self._env.process(self._list())
        for worker in self._workers:
            self._env.process(self._work(worker))
        self._env.run(until=self._env.process(self._commit()))
        return self._outcome(self._env.now)

    def _list(self) -> _Steps:
        """Walk the listing, some pages ahead and with all keys in turn, and give out each partition it completes."""
        plan, waiting, listed, given = self._plan, iter(self._partitions), 0, 0
        pages = -(-plan.collections // plan.page)
        yield self._env.timeout(self._costs.begin)
        under_way = deque(self._asked(page) for page in range(min(plan.prefetch, pages)))
        for page in range(pages):
            arrived = max(self._env.now, under_way.popleft())
            yield self._env.timeout(arrived - self._env.now)
            yield self._env.timeout(self._driver.take(arrived, plan.page * self._costs.item) - arrived)
            if page + plan.prefetch < pages:
                under_way.append(self._asked(page + plan.prefetch))
            listed = min(plan.collections, listed + plan.page)
            while given < plan.collections and min(given + plan.partition, plan.collections) <= listed:
                partition = next(waiting)
                given += partition.collections
                yield self._todo.put(partition)
        self._counts.listing = self._env.now

    def _asked(self, page: int) -> float:
        """Give the instant at which a page arrives that is asked for now."""
        key = self._keys[page % len(self._keys)]
        sent = key.limit.take(self._env.now, 1) if key.limit else self._env.now
        key.service.admit(self._env.now, sent, 1)
        self._counts.requests += 1
        return sent + self._plan.page_latency

    def _work(self, worker: _Worker) -> _Steps:
        yield self._env.timeout(self._costs.begin)
        while True:
            partition = yield self._todo.get()
            fetched, ready = 0, self._env.now
            for step in partition.steps():
                ready = yield from self._step(worker, step)
                fetched += step
                if ready >= worker.crash:
                    break
            else:
                ready += self._plan.put
            if ready >= worker.crash:
                yield from self._replaced(worker, partition, fetched)
            else:
                yield self._env.timeout(max(0.0, ready - self._env.now))
                yield self._reports.put(partition)

    def _step(self, worker: _Worker, collections: int) -> Generator[simpy.Event, Any, float]:
        """Fetch so many, wait until the next may be asked for, and give the instant at which these are done."""
        plan, wanted, sent = self._plan, self._attempts(collections), self._env.now
        while wanted:
            yield from self._unpaused(worker)
            sent, admitted = self._send(worker, wanted)
            if admitted < wanted:
                worker.pause.until = max(worker.pause.until, sent + plan.latency + plan.retry_after)
            wanted -= admitted
        carried = self._link.take(self._env.now, collections * self._costs.size * plan.coding)
        work = collections * self._costs.collection
        done = worker.cpu.take(max(sent + plan.latency, carried), work)
        # One step may wait for the processor behind the one that it works at.
        yield self._env.timeout(max(0.0, max(sent, done - 2 * work) - self._env.now))
        return done

    def _send(self, worker: _Worker, wanted: int) -> tuple[float, int]:
        """Give the instant at which the last of them is on the wire, and how many the service answers."""
        now, key, plan = self._env.now, worker.key, self._plan
        allowed = key.limit.take(now, wanted) if key.limit else now
        sent = max(allowed, worker.slots.take(now, wanted) - plan.latency)
        if sent >= key.throttled:
            key.refuses = key.throttled + plan.retry_after
            key.throttled = self._after(max(sent, key.refuses), plan.throttles)
        admitted = 0 if sent < key.refuses else key.service.admit(now, sent, wanted)
        self._counts.requests += wanted
        self._counts.refused += wanted - admitted
        return sent, admitted

    def _unpaused(self, worker: _Worker) -> _Steps:
        while (left := worker.pause.until - self._env.now) > 0:
            span = min(max(left * _RELEASE, _SHORTEST), _LONGEST)
            yield self._env.timeout(left + self._chance.uniform(0, span))

    def _attempts(self, collections: int) -> int:
        """Give the requests for so many collections: a fault is followed by another attempt, until one holds."""
        attempts, failed = collections, collections
        while self._plan.faults and failed:
            failed = sum(self._chance.random() < self._plan.faults for _ in range(failed))
            attempts += failed
        return attempts

    def _replaced(self, worker: _Worker, partition: _Partition, fetched: int) -> _Steps:
        """Give the partition of a worker that died to the others, and begin anew in its place."""
        yield self._env.timeout(max(0.0, worker.crash - self._env.now) + self._plan.away)
        self._counts.repeated += fetched
        self._counts.crashes += 1
        yield self._todo.put(partition)
        yield self._env.timeout(self._costs.begin)
        worker.crash = self._after(self._env.now, self._plan.crashes)
        worker.cpu.free = self._env.now

    def _commit(self) -> _Steps:
        left = len(self._partitions)
        while left:
            reports = [(yield self._reports.get())]
            if self._plan.grouped:
                reports += self._reports.items
                self._reports.items.clear()
            collections = sum(partition.collections for partition in reports)
            cpu = self._costs.commits.each + collections * self._costs.commits.mark
            begun = self._env.now
            yield self._env.timeout(self._driver.take(begun, cpu) - begun + self._plan.put)
            self._counts.committing += self._env.now - begun
            self._counts.commits += 1
            for partition in reports:
                self._committed[partition.number] += 1
            left -= len(reports)

    def _outcome(self, seconds: float) -> Outcome:
        plan, counts, used = self._plan, self._counts, self._keys[: self._plan.workers]
        busy = {
            "cpu": sum(worker.cpu.busy for worker in self._workers) / plan.workers,
            "rate": sum(key.service.admitted for key in used) / plan.rate / len(used),
            "slots": sum(worker.slots.busy for worker in self._workers) / plan.workers,
            "link": self._link.busy,
            "commits": counts.committing,
            "listing": counts.listing,
        }
        return Outcome(
            seconds=seconds,
            worker_hours=plan.workers * seconds / _HOUR,
            requests=counts.requests,
            refused=counts.refused,
            repeated=counts.repeated,
            crashes=counts.crashes,
            commits=counts.commits,
            committed=self._committed,
            busy={name: taken / seconds for name, taken in busy.items()},
        )


def simulate(plan: Plan, costs: Costs) -> Outcome:
    """Let one job run to its end, which is the last commit."""
    return _Cluster(plan, costs).run()
