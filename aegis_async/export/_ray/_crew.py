"""The workers: each has a place, and when it dies another one takes it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Final, Self

import ray
from ray.exceptions import RayError

from aegis_async._tasks import finish
from aegis_async.errors import ExportError
from aegis_async.export._ray._connect import answered
from aegis_async.export._ray._desks import Desk
from aegis_async.export._ray._worker import Order, Worker, WorkerHandle

__all__ = ["Crew", "Post"]

_log: Final = logging.getLogger("aegis_async")
_TRIES: Final = 5
_PATIENCE: Final = 30.0  # seconds, after which a place that is not there is worth a warning
_BEAT: Final = 10.0  # seconds between two questions whether a worker is alive
_SILENCE: Final = 60.0  # seconds without an answer, after which it is taken for dead
_GRACE: Final = 3.0  # seconds for a worker to end its work, of the ten that a signal leaves


class Post:
    """The place of one worker.

    Args:
        hire: Begins a worker, and gives it with the reference of its opening.
        give_up: Told how many seconds no worker has come; raises when that is too long.
    """

    def __init__(
        self, hire: Callable[[], tuple[WorkerHandle, Awaitable[None]]], give_up: Callable[[float], None]
    ) -> None:
        self._hire = hire
        self._give_up = give_up
        self._present: WorkerHandle | None = None
        self._hiring: asyncio.Task[WorkerHandle] | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def manned(self) -> bool:
        """Whether a worker is there that can work."""
        return self._watching is not None

    async def worker(self) -> WorkerHandle:
        """Give the worker, as soon as there is one.

        Raises:
            ExportError: None can work.
        """
        if self._hiring is None:
            self._hiring = asyncio.create_task(self._hired())
        return await asyncio.shield(self._hiring)

    async def lost(self, worker: WorkerHandle) -> None:
        """Hear that this worker is dead: the next one is another."""
        if worker is self._present:
            _log.warning("a worker died; another one takes its place")
            await self._dismiss()

    async def close(self) -> None:
        """End the worker, gently where it answers."""
        if self._hiring is not None:
            await finish(self._hiring)
        if self._present is not None:
            with suppress(RayError, TimeoutError):
                async with asyncio.timeout(_GRACE):
                    await self._present.close.remote()
            await self._dismiss()

    async def _dismiss(self) -> None:
        worker, self._present, self._hiring = self._present, None, None
        ray.kill(worker)
        if self._watching is not None:
            watching, self._watching = self._watching, None
            await finish(watching)

    async def _hired(self) -> WorkerHandle:
        reason: Exception | None = None
        for _ in range(_TRIES):
            worker, opening = self._hire()
            self._present = worker
            try:
                await self._arrived(asyncio.ensure_future(answered(opening)))
            except RayError as error:
                reason = error
            else:
                self._watching = asyncio.create_task(_watch(worker))
                return worker
        raise ExportError(f"{_TRIES} workers died while they began: {reason}")

    async def _arrived(self, opening: asyncio.Future[None]) -> None:
        waited = 0.0
        try:
            while not (await asyncio.wait({opening}, timeout=_PATIENCE))[0]:
                waited += _PATIENCE
                _log.warning("the cluster has had no CPU for a worker for %g s", waited)
                self._give_up(waited)
            await opening
        finally:
            opening.cancel()


async def _watch(worker: WorkerHandle) -> None:
    """Kill a worker that does not answer any more, which fails the calls that wait for it."""
    while True:
        await asyncio.sleep(_BEAT)
        try:
            async with asyncio.timeout(_SILENCE):
                await worker.alive.remote()
        except TimeoutError:
            _log.warning("a worker has not answered for %g s", _SILENCE)
            ray.kill(worker)
            return
        except RayError:
            return  # whoever waits for its work hears of it too


class Crew:
    """The workers of a run, inside its ``async with``.

    Args:
        order: What they are told.
        desks: What each works with.
    """

    def __init__(self, order: Order, desks: Iterable[Desk]) -> None:
        self._order = order
        self._actor = ray.remote(Worker).options(num_cpus=1, scheduling_strategy="SPREAD")
        self.posts = [Post(partial(self._hire, desk), self._give_up) for desk in desks]

    def _hire(self, desk: Desk) -> tuple[WorkerHandle, Awaitable[None]]:
        worker: WorkerHandle = self._actor.remote()
        # The key goes with a call, straight to the worker: what an actor is made with is kept by the cluster.
        return worker, worker.open.remote(desk.recipe, self._order, desk.share, desk.limiter)

    def _give_up(self, waited: float) -> None:
        if waited >= self._order.max_outage and not any(post.manned for post in self.posts):
            raise ExportError(f"the cluster has had no CPU for a worker for {waited:g} s: each needs one")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(post.close() for post in self.posts))
