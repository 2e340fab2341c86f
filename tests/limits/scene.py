"""A gate and those who pass it, in a time that passes when it is told to."""

import asyncio
from collections.abc import Callable

from aegis_async._clock import Alarm, Clock
from aegis_async._config import RateLimit
from aegis_async._limits import Gate

__all__ = ["Scene", "settled"]


class Time:
    """A time that passes when it is told to."""

    def __init__(self, chance: float = 1.0) -> None:
        self.now = 0.0
        self.chance = chance
        self.alarms: list[tuple[float, Callable[[], None]]] = []

    def clock(self) -> Clock:
        """Give the clock that a gate takes."""
        return Clock(monotonic=lambda: self.now, later=self._later, random=lambda: self.chance)

    async def to(self, instant: float) -> None:
        """Pass the time until ``instant``, alarm after alarm."""
        await settled()
        while self.alarms and min(self.alarms, key=lambda alarm: alarm[0])[0] <= instant:
            first = min(self.alarms, key=lambda alarm: alarm[0])
            self.alarms.remove(first)
            self.now = max(self.now, first[0])
            first[1]()
            await settled()
        self.now = instant

    def _later(self, seconds: float, then: Callable[[], None]) -> Alarm:
        alarm = (self.now + seconds, then)
        self.alarms.append(alarm)

        class _Alarm:
            def cancel(_self) -> None:  # noqa: N805 - the outer self is used
                if alarm in self.alarms:
                    self.alarms.remove(alarm)

        return _Alarm()


class Visitor:
    """Somebody who passes the gate, stays until let go, and leaves."""

    def __init__(self, gate: Gate, name: str, log: list[str], *, patience: float = float("inf")) -> None:
        self.gate, self.name, self.log, self.patience = gate, name, log, patience
        self.bulk = name.startswith("b")
        self.passed_at = float("nan")
        self.gone = asyncio.Event()
        self.task = asyncio.create_task(self._visit())

    def hold(self, until: float) -> None:
        """Refuse a pause that is longer than the patience."""
        if until > self.patience:
            raise TimeoutError(f"{self.name} cannot wait until {until}")

    async def leave(self) -> None:
        """Leave the wire."""
        self.gone.set()
        await self.task
        await settled()

    async def _visit(self) -> None:
        if not self.gate.try_enter(bulk=self.bulk):
            await self.gate.enter(self)
        self.log.append(self.name)
        self.passed_at = self.gate._clock.monotonic()
        try:
            await self.gone.wait()
        finally:
            self.gate.leave(bulk=self.bulk)


async def settled() -> None:
    """Let every task go as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


class Scene:
    """A gate and its visitors."""

    def __init__(self, limit: int, rate: RateLimit | None = None, *, chance: float = 1.0) -> None:
        self.time = Time(chance)
        self.gate = Gate(limit, rate, self.time.clock())
        self.passed: list[str] = []
        self.visitors: dict[str, Visitor] = {}

    async def come(self, *names: str, patience: float = float("inf")) -> None:
        """Let visitors come, one after the other; a name with b goes in the bulk lane."""
        for name in names:
            self.visitors[name] = Visitor(self.gate, name, self.passed, patience=patience)
            await settled()

    async def leave(self, *names: str) -> None:
        """Let visitors leave the wire."""
        for name in names:
            await self.visitors[name].leave()

    async def end(self) -> None:
        """Cancel everybody, and see that the gate is as it was."""
        for visitor in self.visitors.values():
            visitor.task.cancel()
        await asyncio.gather(*(v.task for v in self.visitors.values()), return_exceptions=True)
        assert (0, 0) == (self.gate.busy, self.gate.waiting)
        assert [] == self.time.alarms
