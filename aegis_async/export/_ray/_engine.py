"""The driver's side: partitions go out to the workers, and what they deliver is committed."""

import asyncio
import secrets
from collections import deque
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, Self

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from aegis_async._client import recipe_of, session_of
from aegis_async._config import RateLimit
from aegis_async._version import __version__
from aegis_async.errors import ExportError
from aegis_async.export._engines import Asked
from aegis_async.export._fetching import Ids, Known, Take
from aegis_async.export._layout import QUARANTINE, chunk_name, part_name, partition_prefix
from aegis_async.export._output import Output
from aegis_async.export._ray._connect import answered, connected
from aegis_async.export._ray._crew import Crew, Post
from aegis_async.export._ray._limiter import Limiter, LimiterHandle
from aegis_async.export._ray._pacer import Pacer
from aegis_async.export._ray._partitions import Delivery, Partition, Planner
from aegis_async.export._ray._work import Work
from aegis_async.export._ray._worker import Order, Share
from aegis_async.export._threads import off_loop
from aegis_async.export._writer import BatchWriter

if TYPE_CHECKING:
    from aegis_async._client import AegisClient

__all__ = ["RayEngine"]

_HANDS: Final = 2  # partitions that a worker has: one is fetched while what is left of the other is written


class RayEngine:
    """Has workers on a cluster fetch and write, and commits what they deliver.

    Args:
        client: How to reach the service; the workers' clients are made like it.
        output: What is committed to.
        writer: What does that in its turn.
        asked: What the caller asked for.

    Raises:
        ConfigurationError: The client holds something that cannot leave this process.
    """

    def __init__(self, client: "AegisClient", output: Output, writer: BatchWriter, asked: Asked) -> None:
        self._recipe = recipe_of(client)
        self._session = session_of(client)
        self._output = output
        self._writer = writer
        self._asked = asked
        self._run = secrets.token_hex(6)
        self._stack = AsyncExitStack()
        self._delivered: deque[tuple[Partition, Delivery, Take]] = deque()
        self._committing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Connect, and get the limiter and the workers' places.

        Raises:
            ExportError: The cluster cannot be reached, or the probe cannot be written.
        """
        async with AsyncExitStack() as stack:
            cpus = await stack.enter_async_context(connected(self._asked.address, self._asked.workers))
            limits = self._recipe.limits
            count = self._asked.workers or _fitting(cpus, self._asked.concurrency, limits.concurrency)
            own, slots = _slots(limits.concurrency, count)
            limiter = _limiter(limits.rate)
            await stack.enter_async_context(Pacer(self._session, limiter, paced=limits.rate is not None, slots=own))
            order = await off_loop(self._order)
            stack.push_async_callback(self._sweep)
            at_a_time = _split(self._asked.concurrency, count)
            shares = [Share(many, places) for many, places in zip(at_a_time, slots, strict=True)]
            self._crew = await stack.enter_async_context(Crew(self._recipe, order, shares, limiter))
            self._planner = Planner(self._asked.batch_bytes, _HANDS * count)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self._stack.aclose()
            return
        with suppress(ExportError):  # what ended the run is the error to hear of
            if not self._writer.failed:
                await self._commit()
        with suppress(ExportError):
            await self._stack.aclose()

    async def _sweep(self) -> None:
        """Remove what workers wrote that died or were stopped, once all of them are gone."""
        await self._writer.settle()
        if not self._writer.failed:  # else a commit may be there that this process does not know of
            await off_loop(self._output.folder.sweep)

    def _order(self) -> Order:
        """Put the probe, and give what every worker is told."""
        files, store = self._output.files, self._output.folder.store
        probe = part_name(QUARANTINE, chunk_name(partition_prefix(self._run, 0, 0), 0), "probe")
        store.put(probe, self._run.encode())
        return Order(
            run=self._run,
            version=__version__,
            store=store,
            probe=probe,
            formats=files.formats,
            number=files.number,
            shared=self._asked.shared,
            batch_bytes=self._asked.batch_bytes,
            stream_above=self._asked.stream_above,
            max_outage=self._asked.max_outage,
        )

    async def fetch(self, ids: Ids, known: Known, take: Take, *, anywhere: bool = False) -> None:
        """Have each id fetched, commit what comes of it, and tell ``take``.

        Raises:
            ExportError: Something could not be written, the service did not answer for too long, or no worker lives.
            AegisError: The ids could not be read, or the service refused the key.
        """
        async with aclosing(self._planner.partitions(ids, known, anywhere=anywhere)) as partitions:
            work = Work(partitions)
            try:
                async with asyncio.TaskGroup() as group:
                    hands = [group.create_task(self._hand(post, work, take)) for post in self._crew.posts * _HANDS]
                    await work.over.wait()
                    for hand in hands:  # some may wait for a worker that nobody needs any more
                        hand.cancel()
            except BaseExceptionGroup as group_error:
                first = group_error.exceptions[0]
            else:
                return
        raise first

    async def _hand(self, post: Post, work: Work, take: Take) -> None:
        while True:
            worker = await post.worker()
            partition = await work.take()
            if partition is None:
                return
            try:
                delivery = await answered(worker.fetch.remote(partition))
            except RayError as error:  # it died, or its answer did with its node
                await post.lost(worker)
                await work.give_back(partition, error)
                continue
            self._delivered.append((partition, delivery, take))
            await self._commit()
            if delivery.fault is not None:
                raise delivery.fault
            await work.done()

    async def _commit(self) -> None:
        """Commit what is delivered, one after the other; what is not begun when this is cancelled stays there."""
        async with self._committing:
            while self._delivered:
                partition, delivery, take = self._delivered[0]
                adopt = partial(self._output.files.adopt, delivery.chunks, delivery.aside)
                written = sum(len(chunk.marks) for chunk in delivery.chunks)
                if written or delivery.aside:
                    await self._writer.adopt(adopt, written=written, costs_as_text=delivery.costs_as_text)
                self._delivered.popleft()
                self._planner.learn(delivery)
                self._session.counts.add(delivery.counts)
                listed = dict(partition.ids)
                for id_, got in delivery.answers:
                    take(id_, listed[id_], got)


def _limiter(rate: RateLimit | None) -> LimiterHandle:
    """Begin the limiter beside the driver, without which it is of no use; Ray begins another one where it dies."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    options = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1, "scheduling_strategy": here}
    handle: LimiterHandle = ray.remote(Limiter).options(**options).remote(rate)
    return handle


def _fitting(cpus: int, concurrency: int, limit: int | Literal["auto"]) -> int:
    """Give how many workers there are work and slots for."""
    return max(1, min(cpus, concurrency, cpus if limit == "auto" else limit - 1))


def _slots(limit: int | Literal["auto"], workers: int) -> tuple[int | None, Sequence[int | Literal["auto"]]]:
    """Give the driver's slots, and those of each worker."""
    if limit == "auto":
        return None, [limit] * workers
    own, *theirs = _split(limit, workers + 1)
    return own, theirs


def _split(total: int, parts: int) -> list[int]:
    """Give a number in so many parts, the larger ones first."""
    each, more = divmod(total, parts)
    return [each + (part < more) for part in range(parts)]
