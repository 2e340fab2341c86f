"""One run: ids to bodies to batches, a second round for what failed, and the report, whatever happens on the way."""

from asyncio import CancelledError
from contextlib import suppress

from aegis_async.errors import AegisError, ExportError, NotFoundError, OrganizationRequiredError
from aegis_async.export._fetching import Engine, Ids, Known, Take
from aegis_async.export._output import Output
from aegis_async.export._report import ExportReport, Missing, Status
from aegis_async.export._reporter import Reporter
from aegis_async.export._source import IdSource, Listed
from aegis_async.export._tally import Got, Tally
from aegis_async.export._threads import off_loop
from aegis_async.export._writer import BatchWriter

__all__ = ["Run"]


class Run:
    """One run of an export.

    Args:
        output: Where it writes to.
        source: The ids.
        engine: What fetches them.
        writer: What the engine hands them to.
        tally: Counts, and tells how far it is.
    """

    def __init__(self, output: Output, source: IdSource, engine: Engine, writer: BatchWriter, tally: Tally) -> None:
        self._output = output
        self._source = source
        self._engine = engine
        self._writer = writer
        self._tally = tally
        self._reporter = Reporter(output, source, writer, tally)
        self._failed: dict[int, Listed] = {}
        self._missing: dict[int, Missing] = {}
        self._gone: list[int] = []
        self._ended = False

    async def fetch(self) -> None:
        """Fetch what the sinks lack, once more what failed, and look for what is gone.

        Raises:
            ExportError: A batch could not be written, or the service did not answer for too long.
            AegisError: The listing failed, or the service refused the key.
        """
        source = self._source
        await self._go(source.ids(self._wanted), source.known, self._take)
        self._tally.catch_up()
        await self._go(tuple(self._failed), self._failed.__getitem__, self._take_again)
        evidence = source.evidence()
        if evidence is not None and evidence.complete:
            await self._writer.settle()  # a thread must not change what is looked through here
            await self._go(self._unlisted(), _unknown, self._take_unlisted, anywhere=True)

    def _wanted(self, id_: int, listed: Listed) -> bool:
        wanted = self._writer.lacks(id_, listed)
        if not wanted:
            self._tally.skip(self._source.total)
        return wanted

    async def _go(self, ids: Ids, known: Known, take: Take, *, anywhere: bool = False) -> None:
        await self._engine.fetch(ids, known, take, anywhere=anywhere)
        self._writer.set_aside(self._source.rejected())

    def _take(self, id_: int, listed: Listed, got: Got | AegisError) -> None:
        if isinstance(got, AegisError):
            self._failed[id_] = listed
            self._missing[id_] = _missing(id_, got)
        self._tally.take(None if isinstance(got, AegisError) else got, self._source.total)

    def _take_again(self, id_: int, _: Listed, got: Got | AegisError) -> None:
        if isinstance(got, AegisError):
            self._missing[id_] = _missing(id_, got)
            return
        del self._missing[id_]
        self._tally.mend(got)

    def _unlisted(self) -> list[int]:
        output = self._output
        living = set[int]().union(*(sink.holdings.living for sink in output.sinks))
        # What is set aside is no row that could be buried: without a drop it would be asked for at every run.
        aside = {one.id for one in output.quarantined() if one.id is not None} if output.plan.drop else set[int]()
        return sorted((living | aside) - (self._source.listed or set()))

    def _take_unlisted(self, id_: int, _: Listed, got: Got | AegisError) -> None:
        if isinstance(got, NotFoundError) and not isinstance(got, OrganizationRequiredError):
            self._gone.append(id_)

    async def complete(self) -> ExportReport:
        """Write what is left, end the pass, and give the report.

        Raises:
            ExportError: Something could not be written.
        """
        await self._writer.flush()
        await self._writer.bury(self._gone, drop=self._output.plan.drop)
        await self._writer.finish(self._source.evidence())
        report = await off_loop(self._conclude)
        await off_loop(self._output.close)
        return report

    def _conclude(self) -> ExportReport:
        report = self._reporter.conclusion(self._missing.values(), self._gone)
        self._ended = True
        return report

    async def end_early(self, error: BaseException) -> None:
        """Write what was fetched, where that is possible, say in the report what ended the run, and let others in."""
        await self._writer.stop()
        # What ended the run is the error to hear of: a disk that is full for the report too adds nothing.
        if not self._ended:
            with suppress(ExportError):
                await self._give_up(error)
        with suppress(ExportError):
            await off_loop(self._output.close)

    async def _give_up(self, error: BaseException) -> None:
        status: Status = "interrupted" if isinstance(error, CancelledError) else "failed"
        reason = "interrupted" if status == "interrupted" else str(error) or type(error).__name__
        try:
            if not self._writer.failed:
                await self._writer.flush()
        finally:
            await off_loop(self._reporter.early, status, reason, tuple(self._missing.values()))


def _missing(id_: int, error: AegisError) -> Missing:
    return Missing(id_, type(error).__name__, str(error))


def _unknown(_: int) -> Listed:
    """Say of a collection that is not listed that it may change unseen."""
    return Listed(settled=False)
