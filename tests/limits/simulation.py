"""A service and a busy client as events in a time of their own, to see what a limit does within milliseconds."""

import heapq
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count, pairwise
from random import Random
from typing import Protocol

__all__ = ["Fixed", "Outcome", "Scene", "simulate"]


class Limiter(Protocol):
    """What is tried: an `AdaptiveLimit` or a `Fixed` one."""

    @property
    def limit(self) -> int: ...

    def answered(self, now: float, latency: float, busy: int, *, wanted: bool) -> None: ...

    def refused(self, now: float, latency: float) -> None: ...


@dataclass(frozen=True)
class Fixed:
    """A limit that learns nothing."""

    limit: int

    def answered(self, now: float, latency: float, busy: int, *, wanted: bool) -> None:
        """Learn nothing of an answer."""

    def refused(self, now: float, latency: float) -> None:
        """Learn nothing of a refusal."""


@dataclass(frozen=True)
class Scene:
    """A service and who asks it.

    Attributes:
        capacity: Requests that it serves at once, by the time.
        refuses: Whether it refuses more with a quick 429; else they wait in order.
        seconds: How long to look.
        service: Mean seconds that it takes for one, by the time.
        draw: How long a single one takes, as a multiple of the mean.
        callers: Calls at once at most.
        share: The part of the limit that they may use, as in the bulk lane.
        seed: Of the chances.
    """

    capacity: Callable[[float], int]
    refuses: bool = False
    seconds: float = 40.0
    service: Callable[[float], float] = lambda _: 0.05
    draw: Callable[[Random], float] = lambda random: random.uniform(0.7, 1.3)
    callers: int = 1_000
    share: float = 1.0
    seed: int = 0


@dataclass
class Outcome:
    """What happened.

    Attributes:
        answers: When each answer came.
        refusals: When each refusal came.
        limits: The limit from each instant on.
    """

    answers: list[float] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)
    limits: list[tuple[float, int]] = field(default_factory=list)

    def rate(self, begin: float, end: float) -> float:
        """Give the answers per second between two instants."""
        return (bisect_right(self.answers, end) - bisect_right(self.answers, begin)) / (end - begin)

    def range(self, begin: float, end: float) -> tuple[int, float, int]:
        """Give the least limit between two instants, its mean over the time, and the greatest."""
        known = [limit for at, limit in self.limits if at <= begin][-1:]
        steps = [(begin, limit) for limit in known] + [(at, limit) for at, limit in self.limits if begin < at < end]
        area = sum(limit * (after - at) for (at, limit), (after, _) in pairwise([*steps, (end, 0)]))
        values = [limit for _, limit in steps]
        return min(values), area / (end - steps[0][0]), max(values)


def simulate(limiter: Limiter, scene: Scene) -> Outcome:
    """Let the callers of ``scene`` go on for its time under ``limiter``."""
    return _Run(limiter, scene).go()


_REFUSAL = 0.002  # seconds until a 429 is there
_BACKOFF = 0.5  # seconds at most until it is tried again


class _Run:
    def __init__(self, limiter: Limiter, scene: Scene) -> None:
        self.limiter, self.scene = limiter, scene
        self.random = Random(scene.seed)
        self.outcome = Outcome()
        self.now = 0.0
        self.busy = self.serving = self.away = 0
        self.queue: deque[float] = deque()
        self.events: list[tuple[float, int, Callable[[float], None], float]] = []
        self.order = count()

    def go(self) -> Outcome:
        self.fill()
        while self.events:
            self.now, _, happens, sent = heapq.heappop(self.events)
            if self.now > self.scene.seconds:
                break
            happens(sent)
            self.fill()
            limit = self.limiter.limit
            if not self.outcome.limits or self.outcome.limits[-1][1] != limit:
                self.outcome.limits.append((self.now, limit))
        return self.outcome

    def later(self, seconds: float, happens: Callable[[float], None], sent: float) -> None:
        heapq.heappush(self.events, (self.now + seconds, next(self.order), happens, sent))

    @property
    def room(self) -> int:
        return max(1, int(self.limiter.limit * self.scene.share))

    @property
    def idle(self) -> int:
        return self.scene.callers - self.busy - self.away

    def fill(self) -> None:
        for _ in range(min(self.room - self.busy, self.idle)):
            self.send()

    def send(self) -> None:
        self.busy += 1
        if self.serving < self.scene.capacity(self.now):
            self.serve(self.now)
        elif self.scene.refuses:
            self.later(_REFUSAL, self.refused, self.now)
        else:
            self.queue.append(self.now)

    def serve(self, sent: float) -> None:
        self.serving += 1
        self.later(self.scene.service(self.now) * self.scene.draw(self.random), self.answered, sent)

    def answered(self, sent: float) -> None:
        self.serving -= 1
        while self.queue and self.serving < self.scene.capacity(self.now):
            self.serve(self.queue.popleft())
        self.outcome.answers.append(self.now)
        wanted = self.idle > 0
        busy, self.busy = self.busy, self.busy - 1
        self.limiter.answered(self.now, self.now - sent, busy, wanted=wanted)

    def refused(self, sent: float) -> None:
        self.outcome.refusals.append(self.now)
        self.busy -= 1
        self.away += 1
        self.limiter.refused(self.now, self.now - sent)
        self.later(self.random.uniform(0, _BACKOFF), self.back, sent)

    def back(self, _sent: float) -> None:
        self.away -= 1
