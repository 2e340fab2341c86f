"""Fetched bodies to files: batches that a thread writes, one ahead of the fetching."""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from aegis_async._resources.data_collections import CollectionBody
from aegis_async.export._arrow import unfit_costs
from aegis_async.export._batches import batch_of
from aegis_async.export._quarantine import Quarantine
from aegis_async.export._schema import TABLES
from aegis_async.export._sinks import Sink
from aegis_async.export._threads import begin, ended

if TYPE_CHECKING:
    import asyncio

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
        self._writing: asyncio.Future[None] | None = None
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
            await self.settle()
            self._writing = begin(self._write, self._taken())

    async def settle(self) -> None:
        """Wait until nothing is being written.

        Raises:
            ExportError: The last batch could not be written.
        """
        error = await self.stop()
        if error is not None:
            raise error

    async def stop(self) -> BaseException | None:
        """Wait until nothing is being written, and give the error that the last batch ended with."""
        if self._writing is None:
            return None
        error = await ended(self._writing)
        self._writing = None
        return error

    def write_end(self) -> None:
        """Write what is left and what the sinks write last; blocks, and nothing may be added meanwhile.

        Raises:
            ExportError: It could not be written.
        """
        self._write(self._taken())
        for sink in self._sinks:
            self.parts += sink.finish()

    def _taken(self) -> list[CollectionBody]:
        bodies, self._filling, self._filled = self._filling, [], 0
        return bodies

    def _write(self, bodies: list[CollectionBody]) -> None:
        self._batches += 1
        batch, rejected = batch_of(self._batches, bodies)
        parts = [part for sink in self._sinks for part in sink.write(batch)]
        # Nothing counts before all of the batch is written.
        self.parts += [*parts, *self._quarantine.write(rejected)]
        self.rows.update({name: table.num_rows for name, table in batch.tables.items()})
        self.costs_as_text += unfit_costs(batch.tables["evaluations"])
