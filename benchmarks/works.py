"""What is measured: each piece of work as a call that every contender can do, and how much of it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

__all__ = ["BIG", "FULL", "PAGE_SIZES", "SMALL_GETS", "Connect", "Contender", "Scale", "works"]

PAGE_SIZES: Final = (10, 100, 1000, 10_000)
BIG: Final = 1_000_001  # the first id whose collection is big; every lower one is small
SMALL_GETS: Final = "get, 2 KB"
_IN_FLIGHT: Final = 8


class Contender(Protocol):
    """One way to use the service. Each call tells how much it got, so that nobody wins by doing less."""

    async def list(self, page_size: int) -> int:
        """Walk the listing and give the number of items."""

    async def get(self, ids: Iterable[int]) -> int:
        """Get one collection after the other and give the number of evaluations."""

    async def fan_out(self, ids: Iterable[int], concurrency: int) -> int:
        """Get collections, several at once, and give the number of evaluations."""


Connect: TypeAlias = Callable[[str], AbstractAsyncContextManager[Contender]]
"""Gives a contender for a base URL."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much work there is in one batch.

    Attributes:
        items: Collections in the listing.
        small: Small collections to get one after the other.
        big: Big collections to get one after the other.
        ids: Ids to fan out over.
        laps: How often all of it is done.
    """

    items: int
    small: int
    big: int
    ids: int
    laps: int


FULL: Final = Scale(items=10_000, small=1000, big=150, ids=2000, laps=2)
"""Batches of 0.2 s of CPU and more, long enough to hold full garbage collections."""


def works(scale: Scale) -> Mapping[str, Callable[[Contender], Awaitable[int]]]:
    """Give each piece of work by its name."""
    listings = {f"listing, pages of {size}": _listing(size) for size in PAGE_SIZES}
    return {
        **listings,
        SMALL_GETS: lambda contender: contender.get(range(1, scale.small + 1)),
        "get, 240 KB": lambda contender: contender.get(range(BIG, BIG + scale.big)),
        f"fan-out, {_IN_FLIGHT} in flight, 2 KB": lambda contender: contender.fan_out(
            range(1, scale.ids + 1), _IN_FLIGHT
        ),
    }


def _listing(size: int) -> Callable[[Contender], Awaitable[int]]:
    return lambda contender: contender.list(size)
