"""The report at the end of a run, written beside what it speaks of."""

import time
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from aegis_async._version import __version__
from aegis_async.export._output import Output
from aegis_async.export._report import ExportReport, Missing, Status
from aegis_async.export._schema import SCHEMA_VERSION
from aegis_async.export._source import IdSource
from aegis_async.export._tally import Tally
from aegis_async.export._writer import BatchWriter

__all__ = ["Reporter"]


class Reporter:
    """Says how a run ended.

    Args:
        output: Where it wrote to.
        source: Where its ids came from.
        writer: What it wrote.
        tally: What it counted.
    """

    def __init__(self, output: Output, source: IdSource, writer: BatchWriter, tally: Tally) -> None:
        self._output = output
        self._source = source
        self._writer = writer
        self._tally = tally
        self._started_at = datetime.now(UTC)
        self._started = time.monotonic()

    def conclusion(self, missing: Collection[Missing], gone: Iterable[int]) -> ExportReport:
        """Write and give the report of a run that came to its end.

        Raises:
            ExportError: It could not be written.
        """
        reason = "; ".join(self._shortcomings(missing)) or None
        return self._written("partial" if reason else "complete", reason, missing, gone)

    def early(self, status: Status, reason: str, missing: Collection[Missing]) -> ExportReport:
        """Write and give the report of a run that ended early.

        Raises:
            ExportError: It could not be written.
        """
        kept = "; what was fetched until then is kept" if self._writer.written else ""
        return self._written(status, f"{reason}{kept}", missing, ())

    def _shortcomings(self, missing: Collection[Missing]) -> Iterator[str]:
        evidence, set_aside = self._source.evidence(), self._output.quarantined()
        if missing:
            yield f"{len(missing)} could not be fetched"
        if set_aside:
            yield f"{len(set_aside)} set aside in quarantine"
        if evidence is not None and not evidence.complete:
            yield (
                f"the listing may lack something, {evidence.reason}: {evidence.items} collections, and totals of "
                f"{evidence.total_first} at first and {evidence.total_last} at last"
            )

    def _written(
        self, status: Status, reason: str | None, missing: Iterable[Missing], gone: Iterable[int]
    ) -> ExportReport:
        folder, sizes = self._output.folder, self._output.sizes()
        report = ExportReport(
            status=status,
            reason=reason,
            commit=folder.state.number or None,
            formats=self._output.plan.formats,
            rows=dict(self._output.rows()),
            fetched=self._writer.written,
            unchanged=self._tally.progress.unchanged,
            deleted=tuple(gone),
            missing=tuple(missing),
            quarantined=self._output.quarantined(),
            costs_as_text=self._writer.costs_as_text,
            listing=self._source.evidence(),
            files=len(sizes),
            bytes=sum(sizes),
            fetched_bytes=self._tally.progress.bytes,
            started_at=self._started_at,
            seconds=round(time.monotonic() - self._started, 3),
            sdk_version=__version__,
            schema_version=SCHEMA_VERSION,
        )
        folder.tell(msgspec.json.format(msgspec.json.encode(report)))
        return report
