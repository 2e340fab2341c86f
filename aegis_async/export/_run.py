"""One run: ids to bodies to batches, a second round for what failed, and the report, whatever happens on the way."""

from asyncio import CancelledError
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from contextlib import suppress
from typing import NamedTuple, TypeAlias

from aegis_async._fanout import FanOut, Outcome
from aegis_async._resources.data_collections import CollectionBody
from aegis_async.errors import ExportError, NotFoundError, OrganizationRequiredError
from aegis_async.export._batches import Fetched
from aegis_async.export._outage import Outage
from aegis_async.export._output import Output
from aegis_async.export._report import ExportReport, Missing, Status
from aegis_async.export._reporter import Reporter
from aegis_async.export._source import IdSource, Listed
from aegis_async.export._tally import Tally
from aegis_async.export._threads import off_loop
from aegis_async.export._writer import BatchWriter

__all__ = ["Courier", "Run"]

Ids: TypeAlias = Iterable[int] | AsyncIterable[int]
Take: TypeAlias = Callable[[Outcome[CollectionBody]], Awaitable[None]]


class Courier(NamedTuple):
    """What fetches.

    Attributes:
        bodies: Gives the bodies of ids, as they are listed.
        anywhere: Gives the bodies of ids, whoever they belong to.
        outage: What both wait for while the service does not answer.
    """

    bodies: Callable[[Ids], FanOut[CollectionBody]]
    anywhere: Callable[[Ids], FanOut[CollectionBody]]
    outage: Outage


class Run:
    """One run of an export.

    Args:
        output: Where it writes to.
        source: The ids.
        courier: What fetches them.
        tally: Counts, and tells how far it is.
    """

    def __init__(self, output: Output, source: IdSource, courier: Courier, tally: Tally) -> None:
        self._output = output
        self._source = source
        self._courier = courier
        self._tally = tally
        anew = output.plan.full or source.listed is None
        self._writer = BatchWriter(output.sinks, output.plan.batch_bytes, anew=anew)
        self._reporter = Reporter(output, source, self._writer, tally)
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
        await self._go(self._courier.bodies(self._source.ids(self._wanted)), self._take)
        await self._go(self._courier.bodies(tuple(self._failed)), self._take_again)
        evidence = self._source.evidence()
        if evidence is not None and evidence.complete:
            await self._go(self._courier.anywhere(self._unlisted()), self._take_unlisted)

    def _wanted(self, id_: int, listed: Listed) -> bool:
        wanted = self._writer.lacks(id_, listed)
        if not wanted:
            self._tally.skip(self._source.total)
        return wanted

    async def _go(self, bodies: FanOut[CollectionBody], take: Take) -> None:
        async with bodies.outcomes() as outcomes:
            async for outcome in outcomes:
                if self._courier.outage.ended is not None:
                    raise self._courier.outage.ended
                await take(outcome)
        self._writer.set_aside(self._source.rejected())

    async def _take(self, outcome: Outcome[CollectionBody]) -> None:
        listed = self._source.known(outcome.id)
        if outcome.value is None:
            self._failed[outcome.id] = listed
            self._missing[outcome.id] = _missing(outcome)
        else:
            await self._writer.add(Fetched(outcome.value, listed))
        self._tally.take(outcome.value, self._source.total)

    async def _take_again(self, outcome: Outcome[CollectionBody]) -> None:
        if outcome.value is None:
            self._missing[outcome.id] = _missing(outcome)
            return
        del self._missing[outcome.id]
        await self._writer.add(Fetched(outcome.value, self._failed[outcome.id]))
        self._tally.mend(outcome.value)

    def _unlisted(self) -> list[int]:
        living = set[int]().union(*(sink.holdings.living for sink in self._output.sinks))
        return sorted(living - (self._source.listed or set()))

    async def _take_unlisted(self, outcome: Outcome[CollectionBody]) -> None:
        if outcome.value is not None:
            await self._writer.add(Fetched(outcome.value, Listed(settled=False)))
        elif isinstance(outcome.error, NotFoundError) and not isinstance(outcome.error, OrganizationRequiredError):
            self._gone.append(outcome.id)

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


def _missing(outcome: Outcome[CollectionBody]) -> Missing:
    return Missing(outcome.id, type(outcome.error).__name__, str(outcome.error))
