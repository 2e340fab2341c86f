"""The driver's side: partitions go out to the workers, and what they deliver is committed."""

import asyncio
import secrets
from collections import deque
from contextlib import AsyncExitStack, aclosing, suppress
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from ray.exceptions import RayError

from aegis_async._client import recipe_of, session_of
from aegis_async._version import __version__
from aegis_async.errors import ExportError
from aegis_async.export._asked import Asked
from aegis_async.export._fetching import Ids, Known, Take
from aegis_async.export._layout import QUARANTINE, chunk_name, part_name, partition_prefix
from aegis_async.export._output import Output
from aegis_async.export._ray._connect import answered, connected
from aegis_async.export._ray._crew import Crew, Post
from aegis_async.export._ray._desks import desks, end, fitting, limiter
from aegis_async.export._ray._pacer import Pacer
from aegis_async.export._ray._partitions import Delivery, Partition, Planner
from aegis_async.export._ray._work import Work
from aegis_async.export._ray._worker import Order
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
        recipe = recipe_of(client)
        self._recipes = [recipe, *map(recipe.with_key, asked.keys)]
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
            least = self._asked.workers or len(self._recipes)
            cpus = await stack.enter_async_context(connected(self._asked.address, least))
            limits, keys = self._recipes[0].limits, len(self._recipes)
            count = self._asked.workers or fitting(cpus, self._asked.concurrency, limits.concurrency, keys)
            limiters = [limiter(limits.rate) for _ in self._recipes]
            for one in limiters:
                stack.push_async_callback(end, one)
            own, places = desks(self._recipes, limiters, count, self._asked.concurrency)
            await stack.enter_async_context(Pacer(self._session, limiters[0], paced=limits.rate is not None, slots=own))
            stack.push_async_callback(self._sweep)
            order = await off_loop(self._order)
            self._crew = await stack.enter_async_context(Crew(order, places))
            self._planner = Planner(self._asked.batch_bytes, _HANDS * count)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self._stack.aclose()
            return
        try:
            with suppress(ExportError):  # what ended the run is the error to hear of
                if not self._writer.failed:
                    await self._commit()
        finally:  # the caller's progress may raise again
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
            # Whether something is gone, the client's key alone is asked: another user may never have seen it.
            posts = self._crew.posts[:: len(self._recipes)] if anywhere else self._crew.posts
            try:
                async with asyncio.TaskGroup() as group:
                    hands = [group.create_task(self._hand(post, work, take)) for post in posts * _HANDS]
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
