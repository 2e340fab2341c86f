"""Fetched bodies to the sinks: batches that are converted and written one ahead of the fetching."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from aegis_async.export._arrow import unfit_costs
from aegis_async.export._batches import Draft, Fetched, add_to, batch_of, narrowed
from aegis_async.export._evidence import ListingEvidence
from aegis_async.export._sinks import Batch, Rejected, Sink
from aegis_async.export._source import Listed
from aegis_async.export._threads import ended, off_loop

__all__ = ["BatchWriter"]

_CONVERTED: Final = 1 << 20  # bytes of bodies: Structs take several times as much, and should not wait for a batch


class BatchWriter:
    """Collects bodies and has them written: one batch fills while the one before it is written.

    Args:
        sinks: Each gets what it lacks; the first gets what is set aside too.
        batch_bytes: The size of bodies from which a batch is full.
        anew: Whether only what this pass fetches counts.

    Attributes:
        written: Collections whose rows every sink has by now.
        costs_as_text: Costs among them that do not fit the decimal column.
        failed: Whether a sink refused something, so that nothing more can be written.
    """

    def __init__(self, sinks: Iterable[Sink], batch_bytes: int, *, anew: bool) -> None:
        self._sinks = tuple(sinks)
        self._batch_bytes = batch_bytes
        self._anew = anew
        self._fresh: list[Fetched] = []
        self._fresh_bytes = 0
        self._filling = Draft()
        self._storing: asyncio.Task[None] | None = None
        self.written = 0
        self.costs_as_text = 0
        self.failed = False

    def lacks(self, id_: int, listed: Listed) -> bool:
        """Tell whether a sink must have this collection fetched."""
        return any(sink.demands and self._lacks(sink, id_, listed.fingerprint) for sink in self._sinks)

    async def add(self, fetched: Fetched) -> None:
        """Take one body; wait while a full batch and the one before it are both in memory.

        Raises:
            ExportError: An earlier batch could not be written.
        """
        self._fresh.append(fetched)
        self._fresh_bytes += len(fetched.body.body)
        if self._fresh_bytes >= _CONVERTED or self._filling.size + self._fresh_bytes >= self._batch_bytes:
            await self._convert()
        if self._filling.size >= self._batch_bytes:
            await self._hand_over()

    async def add_alone(self, draft: Draft) -> None:
        """Write one large collection by itself, and wait for its end: two of them are never in memory.

        Raises:
            ExportError: It, or an earlier batch, could not be written.
        """
        await self.settle()
        self._storing = asyncio.create_task(off_loop(self._write, draft))
        await self.settle()

    async def adopt(self, work: Callable[[], None], *, written: int, costs_as_text: int) -> None:
        """Have ``work`` bring into force what others wrote, as soon as the batch before it is written.

        It has not begun when this is cancelled.

        Raises:
            ExportError: An earlier batch could not be written.
        """
        await self.settle()
        self._storing = asyncio.create_task(off_loop(self._adopt, work, written, costs_as_text))

    def set_aside(self, rejected: Iterable[Rejected]) -> None:
        """Take what becomes no row, for the next batch."""
        self._filling.rejected += rejected

    async def flush(self) -> None:
        """Write what is left.

        Raises:
            ExportError: It could not be written.
        """
        await self._convert()
        if self._filling.marks or self._filling.rejected:
            await self._hand_over()
        await self.settle()

    async def bury(self, ids: Sequence[int], *, drop: bool) -> None:
        """Have every sink note what the service no longer has.

        Raises:
            ExportError: It could not be written.
        """
        await off_loop(self._each, lambda sink: sink.bury(ids, drop=drop))

    async def finish(self, listing: ListingEvidence | None) -> None:
        """End the pass in every sink.

        Raises:
            ExportError: It could not be written.
        """
        await off_loop(self._each, lambda sink: sink.finish(listing))

    async def stop(self) -> BaseException | None:
        """Wait until nothing is being written, and give the error that the last batch ended with."""
        if self._storing is None:
            return None
        error = await ended(self._storing)
        self._storing = None
        return error

    def _lacks(self, sink: Sink, id_: int, fingerprint: str) -> bool:
        return sink.holdings.lacks(id_, fingerprint, anew=self._anew)

    async def _convert(self) -> None:
        # Cancelled in between, the bodies are still there to be converted, and committed, at the end.
        await add_to(self._filling, self._fresh)
        self._filling.size += self._fresh_bytes
        self._fresh, self._fresh_bytes = [], 0

    async def _hand_over(self) -> None:
        await self.settle()
        draft, self._filling = self._filling, Draft()
        self._storing = asyncio.create_task(off_loop(self._write, draft))

    async def settle(self) -> None:
        """Wait until nothing is being written.

        Raises:
            ExportError: The last batch could not be written.
        """
        error = await self.stop()
        if error is not None:
            raise error

    def _write(self, draft: Draft) -> None:
        batch = batch_of(draft)
        self._each(lambda sink: self._write_to(sink, batch))
        self.written += len(batch.marks)
        self.costs_as_text += unfit_costs(batch.tables["evaluations"])

    def _adopt(self, work: Callable[[], None], written: int, costs_as_text: int) -> None:
        with self._noting_failure():
            work()
        self.written += written
        self.costs_as_text += costs_as_text

    def _write_to(self, sink: Sink, batch: Batch) -> None:
        if not sink.demands:
            sink.write(batch)
            return
        lacking = {mark.id for mark in batch.marks if self._lacks(sink, mark.id, mark.fingerprint)}
        if lacking or batch.rejected:
            sink.write(narrowed(batch, lacking))

    def _each(self, work: Callable[[Sink], None]) -> None:
        with self._noting_failure():
            for sink in self._sinks:
                work(sink)

    @contextmanager
    def _noting_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.failed = True
            raise
