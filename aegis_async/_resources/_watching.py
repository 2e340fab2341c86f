"""What changes in a listing, poll after poll: what ``client.data_collections.watch`` gives."""

import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Generic, Self, TypeVar

import msgspec

from aegis_async._deadline import current
from aegis_async._pagination import OnDrift
from aegis_async._resources._api import Api
from aegis_async._resources._paging import Paging
from aegis_async._session import Param
from aegis_async._tasks import Closing, Steps
from aegis_async.errors import (
    AegisError,
    APIConnectionError,
    DeadlineExceededError,
    DecodeError,
    InvalidArgumentError,
    NotFoundError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
)

__all__ = ["Added", "Change", "Changed", "Removed", "Watch", "WatchCursor", "Watched"]

T = TypeVar("T")

log: Final = logging.getLogger("aegis_async")

_PAGE_SIZE: Final = 1000  # one page of most accounts, which is a snapshot
_DIGEST: Final = 8  # bytes of a fingerprint: among a million summaries two alike are one chance in thirty million
_JITTER: Final = 0.1  # of the interval, so that the workers of one backend do not ask in step
# The watch goes on after these; a refused key or a closed client ends it.
_OUTAGE: Final = (APIConnectionError, RequestTimeoutError, DeadlineExceededError, RateLimitError, ServerError)


@dataclass(frozen=True, slots=True)
class Added(Generic[T]):
    """A summary that was not there before.

    Attributes:
        id: Its id.
        summary: What the listing says of it.
    """

    id: int
    summary: T


@dataclass(frozen=True, slots=True)
class Changed(Generic[T]):
    """A summary of which the bytes are others than before.

    Attributes:
        id: Its id.
        summary: What the listing says of it now.
    """

    id: int
    summary: T


@dataclass(frozen=True, slots=True)
class Removed:
    """Something that is gone: missing from a complete listing, and its id answered with 404.

    Attributes:
        id: Its id.
    """

    id: int


Change = Added[T] | Changed[T] | Removed


class WatchCursor(msgspec.Struct, frozen=True):
    """What a watch has told so far; survives JSON by ``to_json`` and ``from_json``.

    Attributes:
        seen: The fingerprint of each summary, by its id.
    """

    seen: Mapping[int, str]

    def to_json(self) -> str:
        """Give it as text, about 30 bytes for each summary."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Give what ``to_json`` made into text.

        Raises:
            InvalidArgumentError: It is no such text.
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            complaint = error
        raise InvalidArgumentError(f"cursor cannot be read: {complaint}")


class _Identified(msgspec.Struct):
    id: int


class Watched(msgspec.Struct, Generic[T], frozen=True):
    """The listing that is watched.

    Attributes:
        path: Where it is.
        type: Of its items.
        params: More of its query.
    """

    path: str
    type: type[T]
    params: Mapping[str, Param]


class Watch(Closing, AsyncIterator[Change[T]]):
    """Gives one change after the other, and waits in between; also an async context manager.

    Several tasks may wait for changes, and each change goes to one of them. The end of the watch ends their loops.

    A poll that fails because the service is down, slow or has too much to do is logged and made again after the
    interval; `age` and `failure` tell meanwhile how much what was told may be behind.
    """

    def __init__(self, api: Api, watched: Watched[T], interval: float, cursor: WatchCursor | None) -> None:
        self._api = api
        self._path = watched.path
        self._params = watched.params
        self._interval = interval
        self._decode = api.reader(watched.type)
        self._identify = api.reader(_Identified)
        self._told: dict[int, str] = dict(cursor.seen) if cursor else {}
        self._changes: deque[tuple[Change[T], str | None]] = deque()
        self._polls = 0
        self._steps = Steps()
        self._seen_at: float | None = None
        self._failure: AegisError | None = None

    @property
    def cursor(self) -> WatchCursor:
        """What was told so far, the latest change included; ``watch(cursor=…)`` goes on behind it."""
        return WatchCursor(dict(self._told))

    @property
    def age(self) -> float | None:
        """Seconds since a poll last succeeded; None before the first that did."""
        return None if self._seen_at is None else self._api.session.clock.monotonic() - self._seen_at

    @property
    def failure(self) -> AegisError | None:
        """Why the latest poll failed; None when it did not."""
        return self._failure

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change[T]:
        return await self._steps.take(self._step)

    async def aclose(self) -> None:
        """End the watch: no request or wait of it is left when this returns, and whoever waits for a change ends."""
        await self._steps.aclose()

    async def _step(self) -> Change[T]:
        while not self._changes:
            if self._polls:
                await self._rest()
            self._polls += 1
            await self._poll()
        change, fingerprint = self._changes.popleft()
        self._note(change.id, fingerprint)
        return change

    async def _rest(self) -> None:
        clock = self._api.session.clock
        seconds = self._interval * (1 + _JITTER * (2 * clock.random() - 1))
        deadline = current()
        if deadline is not None and clock.monotonic() + seconds >= deadline.at:
            raise deadline.error(f"watching {self._path}", "backoff", self._polls)
        await self._api.session.rest(seconds)

    def _note(self, id_: int, fingerprint: str | None) -> None:
        if fingerprint is None:
            self._told.pop(id_, None)
        else:
            self._told[id_] = fingerprint

    async def _poll(self) -> None:
        try:
            there = await self._listed("ignore")
            self._changes.extend(self._differences(there))
            missing = self._told.keys() - there.keys()
            if missing:
                await self._find_removed(missing)
        except _OUTAGE as error:
            self._failure = error.with_traceback(None)  # whose frames hold this watch
            log.warning("watching %s: %s; goes on in about %.0f s", self._path, error, self._interval)
        else:
            self._seen_at = self._api.session.clock.monotonic()
            self._failure = None

    async def _listed(self, on_drift: OnDrift) -> dict[int, bytes]:
        paging = Paging(page_size=_PAGE_SIZE, on_drift=on_drift)
        listing = self._api.paginate(self._path, msgspec.Raw, paging, self._params, key=self._id_of)
        async with aiter(listing) as items:
            found = {self._id_of(item): bytes(item) async for item in items}
        if on_drift == "repair" and not listing.report.complete:
            return dict.fromkeys(self._told, b"") | found  # nothing is missing that is not known to be
        return found

    def _id_of(self, item: msgspec.Raw) -> int:
        return self._identify(bytes(item)).id

    def _differences(self, there: Mapping[int, bytes]) -> Iterator[tuple[Change[T], str]]:
        for id_, body in there.items():
            fingerprint = blake2b(body, digest_size=_DIGEST).hexdigest()
            before = self._told.get(id_)
            if before == fingerprint:
                continue
            try:
                summary = self._decode(body)
            except DecodeError as error:
                log.warning("watching %s: what came of id %d is left out: %s", self._path, id_, error)
                self._told[id_] = fingerprint  # said once, until it changes again
                continue
            yield (Added(id_, summary) if before is None else Changed(id_, summary)), fingerprint

    async def _find_removed(self, missing: set[int]) -> None:
        missing = missing - (await self._listed("repair")).keys()
        for id_ in sorted(missing):
            if await self._is_gone(id_):
                self._changes.append((Removed(id_), None))

    async def _is_gone(self, id_: int) -> bool:
        try:
            await self._api.fetch(f"{self._path}/{id_}", bytes, bulk=True)
        except NotFoundError:
            return True
        except _OUTAGE:
            raise
        except AegisError as error:
            log.warning("watching %s: whether id %d is gone is not known: %s", self._path, id_, error)
        return False
