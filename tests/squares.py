"""A service that squares: what a fan-out fetches from, with faults and gates."""

import asyncio
from typing import Any

from aegis_async._fanout import FanOut, Job
from aegis_async._tasks import TaskOwner
from aegis_async.errors import AegisError


class Service:
    """Gives each id's square, fails where it is told to, and holds an id until its gate opens."""

    def __init__(self, **errors: AegisError) -> None:
        self.owner = TaskOwner()
        self.errors = {int(name.lstrip("_")): error for name, error in errors.items()}
        self.gates: dict[int, asyncio.Event] = {}
        self.begun: list[int] = []
        self.ended: list[int] = []
        self.most_in_flight = 0

    async def square(self, id_: int) -> int:
        """Give the square of one id."""
        self.begun.append(id_)
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await (self.gates[id_].wait() if id_ in self.gates else asyncio.sleep(0))
            if id_ in self.errors:
                raise self.errors[id_]
        finally:
            self.ended.append(id_)
        return id_ * id_

    @property
    def in_flight(self) -> int:
        """How many ids are being fetched."""
        return len(self.begun) - len(self.ended)

    def fan_out(self, ids: Any, **changes: Any) -> FanOut[int]:
        """Give a fan-out over ``ids``."""
        options: dict[str, Any] = {"concurrency": 3, "ordered": False, "on_error": "raise"} | changes
        return FanOut(Job(ids, self.square, lambda: self.owner, **options))

    def gate(self, *ids: int) -> None:
        """Hold ``ids`` until their gates are set."""
        self.gates |= {id_: asyncio.Event() for id_ in ids}


async def settle() -> None:
    """Let every task go on until it waits for something."""
    for _ in range(20):
        await asyncio.sleep(0)
