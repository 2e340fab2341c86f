"""What a fan-out is asked to do, and what it tells of itself."""

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

import msgspec

from aegis_async._tasks import TaskOwner
from aegis_async.errors import AegisError

__all__ = ["FanOutStats", "Job", "OnError", "OnProgress", "Outcome"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
OnError = Literal["raise", "skip", "give"]


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T_co]):
    """What came of one id.

    Attributes:
        id: The id as it was given.
        value: What was fetched, None where there is an error.
        error: Why there is no value, None where there is one.
    """

    id: int
    value: T_co | None = None
    error: AegisError | None = None


@dataclass(frozen=True, slots=True)
class FanOutStats:
    """What one iteration has done so far.

    Attributes:
        taken: Ids read from the source.
        fetched: Ids that gave a value.
        failed: Ids that gave an error.
        waiting: Results not yet taken by the consumer.
        in_flight: Ids whose result is not there yet.
        shared: Ids that were in flight already when they came again, and caused no request.
    """

    taken: int = 0
    fetched: int = 0
    failed: int = 0
    waiting: int = 0
    in_flight: int = 0
    shared: int = 0


OnProgress: TypeAlias = Callable[[FanOutStats], object]


class Job(msgspec.Struct, Generic[T], frozen=True):
    """What to fetch and how.

    Attributes:
        ids: The source, read only as fast as results are taken.
        fetch: Gives the value of one id, or raises.
        tasks: Gives the owner of the workers.
        concurrency: Ids in flight at most.
        ordered: Whether results come in the order of the ids.
        on_error: What an id's error does.
        on_progress: Told of every result.
    """

    ids: Iterable[int] | AsyncIterable[int]
    fetch: Callable[[int], Awaitable[T]]
    tasks: Callable[[], TaskOwner]
    concurrency: int
    ordered: bool
    on_error: OnError
    on_progress: OnProgress | None = None
