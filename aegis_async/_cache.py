"""Answers kept for a while: fresh ones at once, old ones while a new one is on its way or cannot be had."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec

from aegis_async._arguments import integer, seconds
from aegis_async._clock import Clock
from aegis_async._deadline import without_deadline
from aegis_async._tasks import TaskOwner
from aegis_async.errors import (
    AegisError,
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    DeadlineExceededError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
)

__all__ = ["Aged", "Cache", "CacheStats", "Fetched", "Owner"]

T = TypeVar("T")

_DECODED: Final = 2.5  # bytes of memory for a byte of JSON; measured for full collections and pages: 1.9 and 2.1
_OVERHEAD: Final = 1024  # bytes for the entry itself and its key
_REFRESHES: Final = 8  # at once; while there are as many, old values are given and no more are begun
_PATIENCE: Final = 1.0  # seconds after a failure before the service is asked for the same again
_SPARED: Final = (APIConnectionError, RequestTimeoutError, DeadlineExceededError, RateLimitError, ServerError)
_FINAL: Final = (AuthenticationError, PermissionDeniedError, NotFoundError)


@dataclass(frozen=True, slots=True)
class Aged(Generic[T]):
    """A value and how old it is.

    Attributes:
        value: What the service sent.
        age: Seconds since then.
        stale: Whether it is older than the cache's ``ttl``.
    """

    value: T
    age: float
    stale: bool


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What a cache holds and what it was good for.

    Attributes:
        entries: Values it holds.
        size: Bytes that they take, as estimated.
        hits: Values given that were fresh.
        stale: Values given that were not.
        misses: Requests that had to wait for the service.
        refreshes: Refreshes begun in the background.
        failures: Refreshes, or requests with an old value to fall back on, that failed.
        evicted: Values dropped for want of room.
    """

    entries: int = 0
    size: int = 0
    hits: int = 0
    stale: int = 0
    misses: int = 0
    refreshes: int = 0
    failures: int = 0
    evicted: int = 0


class Fetched(msgspec.Struct, Generic[T], frozen=True):
    """An answer of the service.

    Attributes:
        value: None where what is kept is still good.
        size: Bytes of its body.
        etag: Its ``ETag``, if it has one.
    """

    value: T | None
    size: int
    etag: str | None


class Owner(Protocol):
    """The client for which something is kept: its time, and the owner of its refreshes."""

    clock: Clock

    def tasks(self) -> TaskOwner:
        """Give the owner of background tasks in the running loop."""


class Fetch(Protocol[T]):
    """Asks the service."""

    def __call__(self, etag: str | None, together: Hashable, /, *, outlives: bool = False) -> Awaitable[Fetched[T]]:
        """Ask for one answer.

        Args:
            etag: Of what is kept.
            together: What those have in common who may share a request.
            outlives: Whether this goes on after the call that began it, and so without its deadline.
        """


class _Asking:
    """Those who ask for one key, the first of them at an instant and after whatever was dropped: they are as good."""

    __slots__ = ("askers", "since")

    def __init__(self, since: float) -> None:
        self.askers = 0
        self.since = since


class _Entry(Generic[T]):
    __slots__ = ("asked", "etag", "refresh", "retry_at", "size", "stored", "value")

    def __init__(self, value: T, size: int, etag: str | None, asked: float, now: float) -> None:
        self.value = value
        self.size = size
        self.etag = etag
        self.asked = asked
        self.stored = now
        self.retry_at = now
        self.refresh: asyncio.Task[None] | None = None


class Cache:
    """Decoded answers, kept in memory, least recently used first to go.

    Kept are the values of ``get``, ``fetch`` and of pages that somebody waits for, of frozen types only. ``get_many``,
    ``stream``, the export, ``watch`` and listings with ``page_size="auto"``, or with ``on_drift`` ``"raise"`` or
    ``"repair"``, neither read nor fill it. It is per process: several workers have a cache each, and each asks the
    service for itself.

    Clients that are given the same cache share what it keeps if they have the same base URL and the same key, of
    which it holds a hash: what one of them has fetched, refreshed or invalidated, the others see. Clients with
    another base URL or key never do. Other settings do not tell entries apart: clients whose ``headers`` make the
    service answer otherwise need a cache each. What is under way is not shared: each client asks for itself.

    All of them must live in one event loop, or one after the other in several. Event loops that run at the same time,
    as in several threads, are not supported: nothing is locked, so give each a cache of its own.

    Args:
        ttl: Seconds for which a value is fresh and given without a request.
        stale_while_revalidate: Seconds after that in which the old value is given at once, while a new one is
            fetched in the background.
        stale_if_error: Seconds after ``ttl`` in which the old value is given when the service cannot be reached, is
            too slow, or answers 429 or 5xx. A 401, 403 or 404 drops the value instead.
        max_bytes: Memory for the values: 2.5 bytes for each byte of their JSON and 1 KiB for each entry are
            reckoned.

    Raises:
        ConfigurationError: An argument is out of its bounds.
    """

    def __init__(
        self,
        *,
        ttl: float = 30.0,
        stale_while_revalidate: float = 300.0,
        stale_if_error: float = 3600.0,
        max_bytes: int = 268_435_456,
    ) -> None:
        self._ttl = seconds("cache.ttl", ttl, zero=True)
        self._revalidate = self._ttl + seconds("cache.stale_while_revalidate", stale_while_revalidate, zero=True)
        self._if_error = self._ttl + seconds("cache.stale_if_error", stale_if_error, zero=True)
        self._max_bytes = integer("cache.max_bytes", max_bytes, minimum=0, error=ConfigurationError)
        self._entries: OrderedDict[Hashable, _Entry[Any]] = OrderedDict()
        self._asking: dict[Hashable, _Asking] = {}
        self._size = self._hits = self._stale = self._misses = 0
        self._refreshes = self._failures = self._evicted = 0
        self._refreshing: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Cache of {len(self._entries)} entries, about {self._size} bytes>"

    def stats(self) -> CacheStats:
        """Give what it holds, and what it was good for since it was made."""
        return CacheStats(
            len(self._entries),
            self._size,
            self._hits,
            self._stale,
            self._misses,
            self._refreshes,
            self._failures,
            self._evicted,
        )

    def clear(self) -> None:
        """Drop everything; what was asked for before is not kept when it comes."""
        self._entries.clear()
        self._asking.clear()
        self._size = 0

    def drop(self, concerned: Callable[[Any], bool]) -> None:
        """Drop the entries whose key is ``concerned``, and keep no answer to what was asked for before."""
        for key in [key for key in {*self._entries, *self._asking} if concerned(key)]:
            self._drop(key)
            self._asking.pop(key, None)

    async def read(self, key: Hashable, fetch: Fetch[T], owner: Owner, since: float = -math.inf) -> Aged[T]:
        """Give the value of ``key``, fetched if it must be, and asked for at the instant ``since`` or later.

        Raises:
            AegisError: There is no value that may be given, and none could be fetched.
        """
        entry: _Entry[T] | None = self._entries.get(key)
        if entry is None or entry.asked < since:
            return await self.fill(key, fetch, owner, since)
        now = owner.clock.monotonic()
        age = now - entry.stored
        self._entries.move_to_end(key)
        if age < self._ttl:
            self._hits += 1
            return Aged(entry.value, age, stale=False)
        if age < self._revalidate:
            self._begin_refresh(key, entry, fetch, owner)
            return self._aged(entry, age)
        if age < self._if_error:
            return await self._fallen_back(key, entry, fetch, owner)
        return await self.fill(key, fetch, owner)

    async def fill(self, key: Hashable, fetch: Fetch[T], owner: Owner, since: float = -math.inf) -> Aged[T]:
        """Fetch the value of ``key``, whatever is kept, and keep it; infinity as ``since`` asks anew.

        Raises:
            AegisError: It could not be fetched; a 401, 403 or 404 drops what was kept.
        """
        self._misses += 1
        return Aged(await self._fetched(key, fetch, owner, since), 0.0, stale=False)

    async def _fallen_back(self, key: Hashable, entry: _Entry[T], fetch: Fetch[T], owner: Owner) -> Aged[T]:
        if owner.clock.monotonic() < entry.retry_at:
            return self._aged(entry, owner.clock.monotonic() - entry.stored)
        try:
            return await self.fill(key, fetch, owner)
        except _SPARED:
            kept: _Entry[T] | None = self._entries.get(key)  # dropped meanwhile, or another one
            age = owner.clock.monotonic() - kept.stored if kept is not None else math.inf
            if kept is None or age >= self._if_error:
                raise
            self._failed(kept, owner)
            return self._aged(kept, age)

    async def _fetched(
        self, key: Hashable, fetch: Fetch[T], owner: Owner, since: float = -math.inf, *, outlives: bool = False
    ) -> T:
        kept: _Entry[T] | None = self._entries.get(key)
        asking = self._ask(key, since, owner.clock.monotonic())
        try:
            fetched = await fetch(kept.etag if kept else None, asking, outlives=outlives)
            return self._taken(key, kept, fetched, asking, owner.clock.monotonic())
        except _FINAL:
            self._drop(key)
            self._end(key, asking)
            raise
        finally:
            asking.askers -= 1
            if not asking.askers:
                self._end(key, asking)

    def _ask(self, key: Hashable, since: float, now: float) -> _Asking:
        """Ask with those who have asked for ``key`` at ``since`` or later; they are good for who comes after, too."""
        asking = self._asking.get(key)
        if asking is None or asking.since < since:
            asking = self._asking[key] = _Asking(now)
        asking.askers += 1
        return asking

    def _end(self, key: Hashable, asking: _Asking) -> None:
        if self._asking.get(key) is asking:
            del self._asking[key]

    def _taken(self, key: Hashable, kept: _Entry[T] | None, fetched: Fetched[T], asking: _Asking, now: float) -> T:
        """Give what was fetched, and keep it if nobody has asked anew since, or was answered before."""
        is_latest = self._asking.get(key) is asking
        self._end(key, asking)
        if fetched.value is None and kept is not None:  # not modified
            if is_latest:
                kept.asked, kept.stored = asking.since, now
            return kept.value
        value: T = fetched.value  # type: ignore[assignment]  # None came with something kept only
        if is_latest:
            size = int(fetched.size * _DECODED) + _OVERHEAD
            self._keep(key, _Entry(value, size, fetched.etag, asking.since, now))
        return value

    def _begin_refresh(self, key: Hashable, entry: _Entry[T], fetch: Fetch[T], owner: Owner) -> None:
        if owner.clock.monotonic() < entry.retry_at or _goes_on(entry.refresh):
            return
        self._refreshing = set(filter(_goes_on, self._refreshing))
        if len(self._refreshing) >= _REFRESHES:
            return
        task = entry.refresh = owner.tasks().start(self._refresh(key, entry, fetch, owner))  # the owner awaits its end
        self._refreshing.add(task)
        self._refreshes += 1
        # Not at the end of the refresh itself: one that is cancelled before its first step has none.
        task.add_done_callback(partial(self._refreshed, entry))

    def _refreshed(self, entry: _Entry[Any], task: asyncio.Task[None]) -> None:
        entry.refresh = None
        self._refreshing.discard(task)

    async def _refresh(self, key: Hashable, entry: _Entry[T], fetch: Fetch[T], owner: Owner) -> None:
        without_deadline()
        try:
            await self._fetched(key, fetch, owner, outlives=True)
        except AegisError:  # whoever asks next hears of it, if there is no old value left to give
            self._failed(entry, owner)

    def _failed(self, entry: _Entry[Any], owner: Owner) -> None:
        self._failures += 1
        entry.retry_at = owner.clock.monotonic() + _PATIENCE

    def _aged(self, entry: _Entry[T], age: float) -> Aged[T]:
        stale = age >= self._ttl
        self._stale += stale
        self._hits += not stale
        return Aged(entry.value, age, stale=stale)

    def _keep(self, key: Hashable, entry: _Entry[Any]) -> None:
        self._drop(key)
        if entry.size > self._max_bytes:
            return
        self._entries[key] = entry
        self._size += entry.size
        while self._size > self._max_bytes:
            self._drop(next(iter(self._entries)))
            self._evicted += 1

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= entry.size


def _goes_on(task: asyncio.Task[None] | None) -> bool:
    return task is not None and not task.get_loop().is_closed()  # which leaves its tasks as they are
