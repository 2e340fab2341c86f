"""Ids to partitions: few at first, so that every worker has some, then as many as make a batch."""

from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final

from aegis_async._session import Counts
from aegis_async.errors import AegisError
from aegis_async.export._commits import Chunk, SetAside
from aegis_async.export._fetching import Ids, Known
from aegis_async.export._source import Listed
from aegis_async.export._tally import Got

__all__ = ["Delivery", "Partition", "Planner"]

_FIRST: Final = 4  # ids; twice as many in each round
_MOST: Final = 256  # ids, however small their bodies are: so many are asked for again where a worker dies
_SUPPOSED: Final = 1 << 16  # bytes of a body, before one has come


@dataclass(frozen=True, slots=True)
class Partition:
    """Some collections that one worker fetches.

    Attributes:
        number: What tells it from others of the run.
        ids: The collections, and what is known of each.
        anywhere: Whether to fetch them whoever they belong to.
        attempt: From 1; each worker that dies over it adds one.
    """

    number: int
    ids: tuple[tuple[int, Listed], ...]
    anywhere: bool
    attempt: int = 1

    def again(self) -> "Partition":
        """Give the next attempt at it, whose parts have other names."""
        return replace(self, attempt=self.attempt + 1)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of a partition.

    Attributes:
        chunks: What was written: files, rows, sums, and the fingerprint of each collection.
        aside: What becomes no row.
        answers: What was got of each id, or why not.
        costs_as_text: Costs that do not fit the decimal column.
        counts: What the worker's client has done since its last delivery.
        fault: What ends the export, after what is here is committed.
    """

    chunks: tuple[Chunk, ...]
    aside: tuple[SetAside, ...]
    answers: tuple[tuple[int, Got | AegisError], ...]
    costs_as_text: int
    counts: Counts
    fault: AegisError | None


class Planner:
    """Makes partitions, and learns from what comes of them how large they should be.

    Args:
        batch_bytes: The size of bodies that a partition should have at most.
        hands: How many are fetched at a time.
    """

    def __init__(self, batch_bytes: int, hands: int) -> None:
        self._batch_bytes = batch_bytes
        self._hands = hands
        self._made = 0
        self._bodies = 1
        self._bytes = _SUPPOSED

    @property
    def size(self) -> int:
        """How many ids the next partition should have."""
        rounds = min(self._made // self._hands, _MOST.bit_length())
        fitting = self._batch_bytes * self._bodies // self._bytes
        return max(1, min(_FIRST << rounds, fitting, _MOST))

    def learn(self, delivery: Delivery) -> None:
        """Take note of the sizes of bodies."""
        for _, got in delivery.answers:
            if isinstance(got, Got):
                self._bodies += 1
                self._bytes += got.size

    async def partitions(self, ids: Ids, known: Known, *, anywhere: bool) -> AsyncGenerator[Partition, None]:
        """Yield the partitions of these ids, which are read as far as one partition needs them."""
        gathered: list[tuple[int, Listed]] = []
        async with aclosing(_each(ids)) as each:
            async for id_ in each:
                gathered.append((id_, known(id_)))
                if len(gathered) >= self.size:
                    yield self._made_of(gathered, anywhere=anywhere)
                    gathered = []
        if gathered:
            yield self._made_of(gathered, anywhere=anywhere)

    def _made_of(self, ids: Iterable[tuple[int, Listed]], *, anywhere: bool) -> Partition:
        self._made += 1
        return Partition(self._made, tuple(ids), anywhere)


async def _each(ids: Ids) -> AsyncGenerator[int, None]:
    if isinstance(ids, AsyncIterable):
        async with aclosing(ids) as each:  # type: ignore[type-var]  # an async generator, as every source of ids gives
            async for id_ in each:
                yield id_
        return
    for id_ in ids:
        yield id_
