"""One export at a time in an object store, on nothing but whole objects and a put that can be refused.

Each holder has a term: the object of the next number, which only one can put. It says until when the lease is held,
and its holder puts it again and again; the highest number counts. One that was let go, or not renewed in time, may be
followed by the next number, and who finds a higher number than its own has lost the lease.
"""

import re
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from uuid import uuid4

import msgspec

from aegis_async._decode import BROKEN
from aegis_async.errors import ExportError
from aegis_async.export._store import Store

__all__ = ["ObjectLease"]

_HELD_FOR: Final = timedelta(seconds=60)
_RENEWED_AFTER: Final = 15.0  # seconds: three may fail
_MARGIN: Final = timedelta(seconds=10)  # before the end: a commit must be there by then, and clocks differ
_FREE: Final = datetime.min.replace(tzinfo=UTC)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class _Term(msgspec.Struct, frozen=True):
    holder: str
    held_until: Annotated[datetime, msgspec.Meta(tz=True)]


class ObjectLease:
    """Holds a name until it is released, or nothing refers to it, or the process ends and a minute has passed.

    Args:
        store: Where the name is.
        path: The name.
        now: The wall clock.
        wait: Waits for an event, or that many seconds, and tells whether the event came.

    Raises:
        ExportError: Another export holds it, or the store cannot keep two exports apart.

    Attributes:
        term: The number of this holding.
    """

    def __init__(
        self,
        store: Store,
        path: str,
        now: Callable[[], datetime] = _utc_now,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        self._store = store
        self._path = path
        self._now = now
        self._holder = uuid4().hex
        self._turn = threading.Lock()
        self._lost = False
        self.term, self._held_until = self._taken()
        self._ended = threading.Event()
        weakref.finalize(self, self._ended.set)
        arguments = (weakref.ref(self), self._ended, wait)
        self._renewing = threading.Thread(target=_renew, args=arguments, name="aegis-async lease", daemon=True)
        self._renewing.start()

    def check(self) -> None:
        """Find out whether it is still held; it is renewed when that is not sure.

        Raises:
            ExportError: It is lost, or cannot be renewed.
        """
        if not self._lost and self._now() >= self._held_until - _MARGIN:
            self.renew()
        if self._lost:
            raise ExportError(
                f"{self._path} went to another export while this one was held up; what it has not committed is void"
            )

    def renew(self) -> None:
        """Hold it for longer, or find out that it is lost.

        Raises:
            ExportError: The store refused it, or does not answer.
        """
        with self._turn:
            until = self._now().replace(microsecond=0) + _HELD_FOR
            self._store.put(self._name(self.term), self._said(until))
            self._lost = self._lost or max(self._terms(), default=0) != self.term
            self._held_until = until

    def release(self) -> None:
        """Let others have it."""
        self._ended.set()
        self._renewing.join()
        with self._turn, suppress(ExportError):  # it ends by itself then
            self._store.put(self._name(self.term), self._said(_FREE))

    def _taken(self) -> tuple[int, datetime]:
        terms = self._terms()
        last, now = max(terms, default=0), self._now()
        if last:
            self._require_free(last, now)
        term, until = last + 1, now.replace(microsecond=0) + _HELD_FOR
        # Looked at again: the number may have been free only because a later holder cleared it away.
        if not self._store.put_if_absent(self._name(term), self._said(until)) or max(self._terms(), default=0) != term:
            raise ExportError(f"{self._path} was taken by another export at this moment; wait for its end")
        if self._store.put_if_absent(self._name(term), self._said(_FREE)):
            raise ExportError(
                "the object store takes a second object under a name that is to be new (it ignores If-None-Match), so "
                "that two exports could not be kept apart; export into a local folder"
            )
        # The last one stays for who has just listed it.
        for old in terms - {last}:
            self._store.delete(self._name(old))
        return term, until

    def _require_free(self, last: int, now: datetime) -> None:
        name = self._name(last)
        try:
            until = msgspec.json.decode(self._store.get(name), type=_Term).held_until
        except BROKEN as error:
            raise ExportError(f"{name} is damaged: {error}; delete it when no export is at work") from None
        if until > now:
            raise ExportError(
                f"{self._path} is held by another export until {until:%H:%M:%S} UTC at least; wait for its end, or, "
                "where it was killed, until then"
            )

    def _terms(self) -> set[int]:
        pattern = re.compile(rf"{re.escape(self._path)}-(\d{{6,}})\.json")
        folder = self._path.rpartition("/")[0]
        return {int(found[1]) for path in self._store.list(folder) if (found := pattern.fullmatch(path))}

    def _name(self, term: int) -> str:
        return f"{self._path}-{term:06}.json"

    def _said(self, until: datetime) -> bytes:
        return msgspec.json.encode(_Term(self._holder, until))


def _renew(
    lease: "weakref.ref[ObjectLease]", ended: threading.Event, wait: Callable[[threading.Event, float], bool]
) -> None:
    while not wait(ended, _RENEWED_AFTER):
        held = lease()
        if held is None:
            return
        with suppress(ExportError):  # tried again, and in time the holder asks for it itself
            held.renew()
        del held
