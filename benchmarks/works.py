"""What is measured: each piece of work, how much of it is in one lap, and who does it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, Protocol, TypeAlias

from benchmarks.contestants import AHEAD, ALL, CALLS, CONTROL, READERS

__all__ = ["BIG", "FULL", "IN_FLIGHT", "LATENCY", "PAGE_SIZES", "PARTS", "QUICK", "WORKS", "Connect", "Contender"]
__all__ += ["Reader", "Scale", "Service", "Work"]

Service: TypeAlias = Literal["plain", "late", "gzip", "zstd"]
"""How the fixture server answers: at once, after `LATENCY`, or with a ``Content-Encoding``."""

PAGE_SIZES: Final = (10, 100, 1000, 10_000)
IN_FLIGHT: Final = (1, 8, 32, 128)
LATENCY: Final = 0.02
BIG: Final = 1_000_001  # the first id whose collection is big; every lower one is small


class Reader(Protocol):
    """One way to use the service. Each call tells how much it got, so that nobody wins by doing less."""

    async def walk(self, page_size: int, pages: int) -> int:
        """Walk a listing of so many pages and give the number of items."""

    async def get(self, ids: Iterable[int]) -> int:
        """Get one collection after the other and give the number of evaluations."""


class Contender(Reader, Protocol):
    """One that fetches several at once too."""

    async def fan_out(self, ids: Iterable[int], concurrency: int) -> int:
        """Get collections, several at once, and give the number of evaluations."""


Connect: TypeAlias = Callable[..., AbstractAsyncContextManager[Contender]]
"""Gives a contender for a base URL, with settings of its own by name."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much work there is in one lap, and how long a batch is.

    Attributes:
        items: Items of a listing at most.
        pages: Pages of a listing at most.
        small: Small collections to get one after the other.
        big: Big collections to get one after the other.
        ids: Ids to fan out over at most.
        batch: Milliseconds of CPU time that a batch lasts at least.
    """

    items: int
    pages: int
    small: int
    big: int
    ids: int
    batch: int

    def pages_of(self, size: int) -> int:
        """Give how many pages of a size a listing has."""
        return min(self.pages, max(1, self.items // size))

    def ids_at(self, in_flight: int) -> int:
        """Give how many ids to fan out over where each answer takes a while."""
        return min(self.ids, self.pages * in_flight)


FULL: Final = Scale(items=10_000, pages=100, small=200, big=30, ids=2000, batch=300)
"""Batches long enough to hold full garbage collections."""
QUICK: Final = Scale(items=1000, pages=10, small=50, big=5, ids=100, batch=30)


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work.

    Attributes:
        do: Does one lap of it and gives how much came.
        contestants: Who does it; the others are compared with the first.
        units: Pages, collections or ids of one lap.
        service: How the server answers.
        waits: Whether wall time counts, because most of it is waiting; then a batch is one lap.
    """

    do: Callable[[Contender, Scale], Awaitable[int]]
    contestants: tuple[str, ...]
    units: Callable[[Scale], int]
    service: Service = "plain"
    waits: bool = False


def _listing(size: int, contestants: tuple[str, ...], service: Service = "plain") -> Work:
    late = service == "late"
    pages = _pages_of(size)
    return Work(lambda contender, scale: contender.walk(size, pages(scale)), contestants, pages, service, waits=late)


def _pages_of(size: int) -> Callable[[Scale], int]:
    return lambda scale: scale.pages_of(size)


def _small(contestants: tuple[str, ...]) -> Work:
    return Work(
        lambda contender, scale: contender.get(range(1, scale.small + 1)), contestants, lambda scale: scale.small
    )


def _big(contestants: tuple[str, ...], service: Service = "plain") -> Work:
    return Work(
        lambda contender, scale: contender.get(range(BIG, BIG + scale.big)),
        contestants,
        lambda scale: scale.big,
        service,
    )


def _fan_out(in_flight: int, contestants: tuple[str, ...]) -> Work:
    return Work(
        lambda contender, scale: contender.fan_out(range(1, scale.ids + 1), in_flight),
        contestants,
        lambda scale: scale.ids,
    )


def _late_fan_out(in_flight: int, contestants: tuple[str, ...]) -> Work:
    return Work(
        lambda contender, scale: contender.fan_out(range(1, scale.ids_at(in_flight) + 1), in_flight),
        contestants,
        lambda scale: scale.ids_at(in_flight),
        service="late",
        waits=True,
    )


_STRUCTS: Final = "bare, default Structs"
# At larger pages a lap of openai-python takes nine seconds, and its place is the same.
_LISTERS: Final = {size: ALL if size <= 100 else ALL[:-1] for size in PAGE_SIZES}  # noqa: PLR2004 - as it says
_UVLOOP: Final = (*CONTROL, "bare, uvloop", "aegis_async, uvloop")

PARTS: Final[Mapping[str, Mapping[str, Work]]] = MappingProxyType(
    {
        "listing": {f"listing, pages of {size}": _listing(size, (*_LISTERS[size], _STRUCTS)) for size in PAGE_SIZES},
        "get": {
            "get, 2 KB": _small((*ALL, *CALLS[len(CONTROL) :], "aegis_async, warm cache")),
            "get, 240 KB": _big(ALL),
            "get, 240 KB, gzip": _big((*CONTROL, "bare, isal", "aegis_async, without isal"), "gzip"),
            "get, 240 KB, zstd": _big(CONTROL, "zstd"),
        },
        "fan-out": {
            **{f"fan-out, {n} in flight": _fan_out(n, READERS) for n in IN_FLIGHT},
            **{f"fan-out, {n} in flight, 20 ms": _late_fan_out(n, CONTROL) for n in IN_FLIGHT},
        },
        "ahead": {"100 pages of 10, 20 ms": _listing(10, AHEAD, "late")},
        "toggles": {
            "gc=False, pages of 1000": _listing(1000, (*CONTROL[:2], _STRUCTS)),
            "gc=False, pages of 10000": _listing(10_000, (*CONTROL[:2], _STRUCTS)),
            "one call": _small((*CONTROL[:2], "bare, through tenacity", "bare, URLs as they are")),
            "one buffer, 240 KB": _big((*CONTROL[:2], "bare, chunks into one buffer")),
            "a pool, 8 in flight": _fan_out(8, (*CONTROL[:2], "bare, a task per id")),
            "uvloop, pages of 100": _listing(100, _UVLOOP),
            "uvloop, get of 2 KB": _small(_UVLOOP),
            "uvloop, get of 240 KB": _big(_UVLOOP),
            "uvloop, 8 in flight": _fan_out(8, _UVLOOP),
        },
    }
)
"""The works by part and name."""

WORKS: Final[Mapping[str, Work]] = MappingProxyType(
    {name: work for part in PARTS.values() for name, work in part.items()}
)
