"""What a caller holds: many ids to be fetched, each iteration anew."""

from typing import Generic, TypeVar

from aegis_async._fanout._job import FanOutStats, Job
from aegis_async._fanout._results import FanOutIterator, OutcomeIterator
from aegis_async._fanout._work import Work

__all__ = ["FanOut"]

T = TypeVar("T")


class FanOut(Generic[T]):
    """Values fetched by id, several at once; nothing is requested before it is iterated.

    Ids are read from the source as results are taken: those in flight and those waiting for the consumer are
    never more than twice the concurrency, however many ids there are. An async generator given as the source is
    closed at the end.

    Example:
        ::

            async for full in client.data_collections.get_many(ids, concurrency=16):
                print(full.name, len(full.runs))
    """

    def __init__(self, job: Job[T]) -> None:
        self._job = job
        self._work = Work(job, job.on_error)

    @property
    def stats(self) -> FanOutStats:
        """What the latest iteration has done so far."""
        return self._work.stats

    def __aiter__(self) -> FanOutIterator[T]:
        self._work = Work(self._job, self._job.on_error)
        return FanOutIterator(self._work)

    def outcomes(self) -> OutcomeIterator[T]:
        """Give one :class:`Outcome` for each id, repeats included, errors as values whatever ``on_error`` says.

        Raises:
            AuthenticationError: On iteration: the key was refused, which ends every mode.
            ClientClosedError: On iteration: the client was closed.
        """
        self._work = Work(self._job, "give")
        return OutcomeIterator(self._work)

    async def collect(self) -> list[T]:
        """Give every value as a list, in the order in which iteration would give them."""
        async with aiter(self) as values:
            return [value async for value in values]
