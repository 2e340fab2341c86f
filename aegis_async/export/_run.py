"""One run: bodies to batches, one commit, and the report, whatever happens on the way."""

import time
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from aegis_async._fanout import FanOut, Outcome
from aegis_async._resources.data_collections import CollectionBody
from aegis_async._version import __version__
from aegis_async.errors import ExportError
from aegis_async.export._folder import Folder
from aegis_async.export._layout import REPORT
from aegis_async.export._quarantine import Quarantine
from aegis_async.export._report import ExportReport, Missing, Progress, Status
from aegis_async.export._rows import count
from aegis_async.export._schema import SCHEMA_VERSION
from aegis_async.export._sinks import RAW, SINKS
from aegis_async.export._source import IdSource
from aegis_async.export._threads import off_loop
from aegis_async.export._writer import BatchWriter

__all__ = ["Output", "Run"]


class Output:
    """Where a run writes to.

    Args:
        folder: The folder of the export.
        formats: The formats that were asked for.
        batch_bytes: The size of bodies from which a batch is written.
    """

    def __init__(self, folder: Folder, formats: tuple[str, ...], batch_bytes: int) -> None:
        self.folder = folder
        self.formats = formats
        self.quarantine = Quarantine(folder.put)
        sinks = [chosen.open(folder.put) for chosen in (RAW, *(SINKS[name] for name in formats))]
        self.writer = BatchWriter(sinks, self.quarantine, batch_bytes)


class Run:
    """One run of an export.

    Args:
        output: Where it writes to.
        source: The ids, for what is known of their number.
        tell: Called with the progress after each collection.
    """

    def __init__(self, output: Output, source: IdSource, tell: Callable[[Progress], object] | None) -> None:
        self._folder = output.folder
        self._writer = output.writer
        self._output = output
        self._source = source
        self._tell = tell
        self._progress = Progress()
        self._missing: list[Missing] = []
        self._committed = False
        self._ended = False
        self._started_at = datetime.now(UTC)
        self._started = time.monotonic()

    async def fetch(self, bodies: FanOut[CollectionBody]) -> None:
        """Take every body as it comes.

        Raises:
            ExportError: A batch could not be written.
            AegisError: The fan-out ended: the listing failed, or the service refused the key.
        """
        async with bodies.outcomes() as outcomes:
            async for outcome in outcomes:
                await self._take(outcome)

    async def _take(self, outcome: Outcome[CollectionBody]) -> None:
        body = outcome.value
        if body is None:
            self._missing.append(Missing(outcome.id, type(outcome.error).__name__, str(outcome.error)))
        else:
            await self._writer.add(body)
        self._advance(body)

    def _advance(self, body: CollectionBody | None) -> None:
        known, value = self._progress, body.value if body else None
        self._progress = replace(
            known,
            done=known.done + 1,
            total=self._source.total,
            rows=known.rows + (count(value) if value else 0),
            bytes=known.bytes + (len(body.body) if body else 0),
            failed=known.failed + (value is None),
        )
        if self._tell is not None:
            self._tell(self._progress)

    async def complete(self) -> ExportReport:
        """Write what is left, commit, and give the report.

        Raises:
            ExportError: Something could not be written.
        """
        await self._writer.finish()
        return await off_loop(self._conclude)

    def _conclude(self) -> ExportReport:
        reason = "; ".join(self._shortcomings()) or None
        report = self._commit("partial" if reason else "complete", reason)
        self._ended = True
        return report

    def close(self) -> None:
        """Let other exports in."""
        self._folder.lock.release()

    async def end_early(self, error: BaseException) -> None:
        """Leave whole files and a report, and an earlier export as it was."""
        await self._writer.stop()
        if not self._ended:
            # What ended the run is the error to hear of: a disk that is full for the report too adds nothing.
            with suppress(ExportError):
                await self._give_up(error)

    async def _give_up(self, error: BaseException) -> None:
        status: Status = "interrupted" if isinstance(error, CancelledError) else "failed"
        reason = "interrupted" if status == "interrupted" else str(error) or type(error).__name__
        try:
            if self._folder.is_new and self._progress.bytes and not isinstance(error, ExportError):
                await self._writer.finish()
                await off_loop(self._commit, status, f"{reason}; what was fetched until then is committed")
            else:
                await off_loop(self._write_report, status, reason)
        finally:
            await off_loop(self._folder.sweep)

    def _commit(self, status: Status, reason: str | None) -> ExportReport:
        self._folder.commit(status, self._writer.parts)
        self._committed = True
        self._folder.sweep()
        return self._write_report(status, reason)

    def _shortcomings(self) -> Iterator[str]:
        evidence = self._source.evidence()
        if self._missing:
            yield f"{len(self._missing)} could not be fetched"
        if self._output.quarantine.kept:
            yield f"{len(self._output.quarantine.kept)} set aside in quarantine"
        if evidence is not None and not evidence.complete:
            yield (
                f"the listing moved while it was read: {evidence.items} collections, and totals of "
                f"{evidence.total_first} at first and {evidence.total_last} at last"
            )

    def _write_report(self, status: Status, reason: str | None) -> ExportReport:
        report = self._report(status, reason)
        self._folder.store.put(REPORT, msgspec.json.format(msgspec.json.encode(report)))
        return report

    def _report(self, status: Status, reason: str | None) -> ExportReport:
        written, kept = self._writer, self._committed
        return ExportReport(
            status=status,
            reason=reason,
            commit=self._folder.number if kept else None,
            formats=self._output.formats,
            rows={name: rows if kept else 0 for name, rows in written.rows.items()},
            missing=tuple(self._missing),
            quarantined=tuple(self._output.quarantine.kept) if kept else (),
            costs_as_text=written.costs_as_text if kept else 0,
            listing=self._source.evidence(),
            files=len(written.parts) if kept else 0,
            bytes=sum(part.bytes for part in written.parts) if kept else 0,
            fetched_bytes=self._progress.bytes,
            started_at=self._started_at,
            seconds=round(time.monotonic() - self._started, 3),
            sdk_version=__version__,
            schema_version=SCHEMA_VERSION,
        )
