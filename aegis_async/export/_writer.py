"""Fetched bodies to files: batches that are converted and written one ahead of the fetching."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from aegis_async._resources.data_collections import CollectionBody
from aegis_async.export._arrow import unfit_costs
from aegis_async.export._batches import Rejected, batch_of
from aegis_async.export._quarantine import Quarantine
from aegis_async.export._schema import TABLES
from aegis_async.export._sinks import Batch, Sink
from aegis_async.export._threads import ended, off_loop

if TYPE_CHECKING:
    from aegis_async.export._commits import Part

__all__ = ["BatchWriter"]


class BatchWriter:
    """Collects bodies and has them written: one batch fills while the one before it is written.

    Args:
        sinks: Each gets every batch.
        quarantine: Gets what no sink can take.
        batch_bytes: The size of bodies from which a batch is full.

    Attributes:
        parts: What is written so far, by whole batches.
        rows: Its rows by table.
        costs_as_text: Its costs that do not fit the decimal column.
    """

    def __init__(self, sinks: Iterable[Sink], quarantine: Quarantine, batch_bytes: int) -> None:
        self._sinks = tuple(sinks)
        self._quarantine = quarantine
        self._batch_bytes = batch_bytes
        self._batches = 0
        self._filling: list[CollectionBody] = []
        self._filled = 0
        self._storing: asyncio.Task[None] | None = None
        self.parts: list[Part] = []
        self.rows = Counter({table.name: 0 for table in TABLES})
        self.costs_as_text = 0

    async def add(self, body: CollectionBody) -> None:
        """Take one body; wait while a full batch and the one before it are both in memory.

        Raises:
            ExportError: An earlier batch could not be written.
        """
        self._filling.append(body)
        self._filled += len(body.body)
        if self._filled >= self._batch_bytes:
            await self._hand_over()

    async def finish(self) -> None:
        """Write what is left, and what the sinks write last.

        Raises:
            ExportError: It could not be written.
        """
        await self._hand_over()
        await self._settle()
        await off_loop(self._write_last)

    async def stop(self) -> BaseException | None:
        """Wait until nothing is being written, and give the error that the last batch ended with."""
        if self._storing is None:
            return None
        error = await ended(self._storing)
        self._storing = None
        return error

    async def _hand_over(self) -> None:
        await self._settle()
        bodies, self._filling, self._filled = self._filling, [], 0
        self._storing = asyncio.create_task(self._store(bodies))

    async def _settle(self) -> None:
        error = await self.stop()
        if error is not None:
            raise error

    async def _store(self, bodies: list[CollectionBody]) -> None:
        self._batches += 1
        batch, rejected = await batch_of(self._batches, bodies)
        # The write needs the bytes alone, and to free a batch of Structs at once would block the loop.
        while bodies:
            bodies.pop()
            await asyncio.sleep(0)
        await off_loop(self._write, batch, rejected)

    def _write(self, batch: Batch, rejected: list[Rejected]) -> None:
        parts = [part for sink in self._sinks for part in sink.write(batch)]
        # Nothing counts before all of the batch is written.
        self.parts += [*parts, *self._quarantine.write(rejected)]
        self.rows.update({name: table.num_rows for name, table in batch.tables.items()})
        self.costs_as_text += unfit_costs(batch.tables["evaluations"])

    def _write_last(self) -> None:
        for sink in self._sinks:
            self.parts += sink.finish()
