"""What runs on the cluster: one client for as long as the worker lives, and one partition after the other."""

import asyncio
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

from aegis_async._client import Recipe, session_of
from aegis_async._clock import Clock
from aegis_async._tasks import finish
from aegis_async._version import __version__
from aegis_async.errors import AegisError, ExportError
from aegis_async.export._arrow import warm_up
from aegis_async.export._courier import Courier
from aegis_async.export._fetching import Fetching
from aegis_async.export._layout import partition_prefix
from aegis_async.export._outage import Outage, ask
from aegis_async.export._ray._keeping import Keeping
from aegis_async.export._ray._limiter import LimiterHandle, Remote
from aegis_async.export._ray._pacer import Pacer
from aegis_async.export._ray._partitions import Delivery, Partition
from aegis_async.export._shelf import Shelf
from aegis_async.export._sinks import file_formats
from aegis_async.export._store import Store
from aegis_async.export._tally import Got
from aegis_async.export._threads import off_loop
from aegis_async.export._writer import BatchWriter

__all__ = ["Order", "Share", "Worker", "WorkerHandle"]


@dataclass(frozen=True, slots=True)
class Order:
    """What every worker of a run is told.

    Attributes:
        run: What tells the run from every other.
        version: The version of this package on the driver.
        store: Where parts go.
        probe: The path of something that the driver has put there.
        formats: The formats of each chunk.
        number: The pass under way.
        shared: Which collections: those shared with the account, its own, or all.
        batch_bytes: The size of bodies from which a batch is written.
        stream_above: Bytes of a body above which a collection is fetched by itself.
        max_outage: Seconds for which a service that does not answer is waited for.
    """

    run: str
    version: str
    store: Store
    probe: str
    formats: tuple[str, ...]
    number: int
    shared: bool | None
    batch_bytes: int
    stream_above: int
    max_outage: float


@dataclass(frozen=True, slots=True)
class Share:
    """One worker's part of what all together may do.

    Attributes:
        concurrency: Collections at a time.
        slots: Requests on the wire.
    """

    concurrency: int
    slots: int | Literal["auto"]


class WorkerHandle(Protocol):
    """A `Worker` somewhere on the cluster."""

    open: Remote[[Recipe, Order, Share, LimiterHandle], None]
    alive: Remote[[], None]
    fetch: Remote[[Partition], Delivery]
    close: Remote[[], None]


class Worker:
    """Fetches partitions, and writes their parts; an actor whose calls run in one event loop."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._running: set[asyncio.Task[object]] = set()
        self._fetching = asyncio.Lock()  # one partition is fetched while what is left of the one before it is written

    async def open(self, recipe: Recipe, order: Order, share: Share, limiter: LimiterHandle) -> None:
        """Make the client, and see whether this worker can do what is asked for.

        Raises:
            ExportError: It has another version of the package, or does not see the folder of the export.
        """
        if __version__ != order.version:
            raise ExportError(f"a worker has aegis_async {__version__}, and the driver {order.version}")
        await off_loop(self._look_around, order)
        self._order = order
        client = await self._stack.enter_async_context(recipe.client(share.slots))
        self._session = session_of(client)
        pacer = Pacer(self._session, limiter, paced=recipe.limits.rate is not None, slots=None)
        await self._stack.enter_async_context(pacer)
        outage = Outage(order.max_outage, partial(ask, client), Clock())
        self._courier = Courier(
            client.data_collections, outage, share.concurrency, order.stream_above, shared=order.shared
        )

    def _look_around(self, order: Order) -> None:
        warm_up()
        self._forms = [form for name, form in file_formats().items() if name in order.formats]
        try:
            order.store.get(order.probe)
        except ExportError as error:
            complaint = str(error)
        else:
            return
        raise ExportError(
            f"a worker does not see what the driver wrote: OUT must be where every node sees it: {complaint}"
        )

    async def alive(self) -> None:
        """Answer."""

    async def fetch(self, partition: Partition) -> Delivery:
        """Fetch a partition, write its parts, and tell of them; nothing counts before the driver has committed it."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - Ray runs each call in one
        self._running.add(task)
        try:
            return await self._fetched(partition)
        finally:
            self._running.discard(task)

    async def _fetched(self, partition: Partition) -> Delivery:
        order, known = self._order, dict(partition.ids)
        shelf = Shelf(order.store, partition_prefix(order.run, partition.number, partition.attempt))
        keeping = Keeping(shelf, self._forms, order.number)
        writer = BatchWriter((keeping,), order.batch_bytes, anew=True)
        answers: list[tuple[int, Got | AegisError]] = []
        fault: AegisError | None = None
        try:
            async with self._fetching:
                engine = Fetching(self._courier, writer)
                take = partial(_take, answers)
                await engine.fetch(tuple(known), known.__getitem__, take, anywhere=partition.anywhere)
            await writer.flush()
        except AegisError as error:
            fault = error
            await self._saved(writer)
        finally:
            await writer.stop()
        counts = self._session.counts.take()
        return Delivery(
            tuple(keeping.chunks), tuple(keeping.aside), tuple(answers), writer.costs_as_text, counts, fault
        )

    async def _saved(self, writer: BatchWriter) -> None:
        """Write what was fetched before the end."""
        if not writer.failed:
            with suppress(AegisError):  # what ended it is the error to hear of
                await writer.flush()

    async def close(self) -> None:
        """End what is running, and the client."""
        await finish(*self._running)
        await self._stack.aclose()


def _take(answers: list[tuple[int, Got | AegisError]], id_: int, _: object, got: Got | AegisError) -> None:
    answers.append((id_, got))
