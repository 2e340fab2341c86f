"""Who works with what: a limiter for each key, and the workers spread over the keys."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from aegis_async._client import Recipe
from aegis_async._config import RateLimit
from aegis_async.export._ray._limiter import Limiter, LimiterHandle
from aegis_async.export._ray._worker import Share

__all__ = ["Desk", "desks", "end", "fitting", "limiter"]

_GRACE: Final = 3.0  # seconds for a limiter to answer those who listen
_AT_ONCE: Final = 1_000_000  # calls to a limiter: each worker's for its next pause is one, and Ray's 1000 would be full


@dataclass(frozen=True, slots=True)
class Desk:
    """What one worker works with.

    Attributes:
        recipe: How it makes its client; the key is in it, and in nothing else.
        limiter: The limiter of that key.
        share: What it may do of what all who use the key may.
    """

    recipe: Recipe
    limiter: LimiterHandle
    share: Share


def desks(
    recipes: Sequence[Recipe], limiters: Sequence[LimiterHandle], workers: int, concurrency: int
) -> tuple[int | None, list[Desk]]:
    """Spread workers over keys, in turn, and give the driver's slots and each worker's desk.

    Args:
        recipes: One for each key; the driver lists with the first.
        limiters: One for each key.
        workers: How many workers there are.
        concurrency: Collections at a time, by all of them.
    """
    own, slots = _slots(recipes[0].limits.concurrency, workers, len(recipes))
    at_a_time = _split(concurrency, workers)
    made = [
        Desk(recipes[place % len(recipes)], limiters[place % len(recipes)], Share(at_a_time[place], slots[place]))
        for place in range(workers)
    ]
    return own, made


def limiter(rate: RateLimit | None) -> LimiterHandle:
    """Begin a limiter beside the driver, without which it is of no use; Ray begins another one where it dies."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    options = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1, "max_concurrency": _AT_ONCE}
    handle: LimiterHandle = ray.remote(Limiter).options(**options, scheduling_strategy=here).remote(rate)
    return handle


async def end(limiter: LimiterHandle) -> None:
    """End a limiter, which Ray would begin anew; who still listens is answered first, or Ray complains of it."""
    with suppress(RayError, TimeoutError):
        async with asyncio.timeout(_GRACE):
            await limiter.close.remote()
    ray.kill(limiter)


def fitting(cpus: int, concurrency: int, limit: int | Literal["auto"], keys: int) -> int:
    """Give how many workers there are work and slots for, one for each key at least."""
    return max(keys, min(cpus, concurrency, cpus if limit == "auto" else keys * (limit - 1)))


def _slots(limit: int | Literal["auto"], workers: int, keys: int) -> tuple[int | None, Sequence[int | Literal["auto"]]]:
    """Give the driver's slots, which are some of the first key's, and those of each worker."""
    if limit == "auto":
        return None, [limit] * workers
    users = [len(range(key, workers, keys)) + (key == 0) for key in range(keys)]
    of_keys = [iter(_split(limit, many)) for many in users]
    return next(of_keys[0]), [next(of_keys[place % keys]) for place in range(workers)]


def _split(total: int, parts: int) -> list[int]:
    """Give a number in so many parts, the larger ones first."""
    each, more = divmod(total, parts)
    return [each + (part < more) for part in range(parts)]
