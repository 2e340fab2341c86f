"""The collections to fetch: those of the listing that have changed, or those that the caller names; each once."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import Final, NamedTuple, Protocol

import msgspec

from aegis_async._decode import BROKEN
from aegis_async._resources.data_collections import DataCollections, list_items, summary_decoder
from aegis_async.errors import AegisError, DecodeError, InvalidArgumentError
from aegis_async.export._evidence import ListingEvidence
from aegis_async.export._sinks import Rejected
from aegis_async.models import Page, PageMeta

__all__ = ["GivenIds", "IdSource", "Listed", "ListedIds", "Wanted", "key_of"]

_PAGE_SIZE: Final = 100  # a larger page blocks the loop for longer than 20 ms
_PREFETCH: Final = 2


class Listed(NamedTuple):
    """What is known of a collection before it is fetched.

    Attributes:
        fingerprint: The sum of its summary's bytes; empty when it was not listed.
        settled: Whether its summary shows no run under way.
    """

    fingerprint: str = ""
    settled: bool = True


Wanted = Callable[[int, Listed], bool]
"""Tells whether a collection must be fetched."""


class IdSource(Protocol):
    """Where the ids come from."""

    @property
    def intent(self) -> str:
        """What is gone through, in words that are the same for every run that wants the same."""

    @property
    def total(self) -> int | None:
        """How many there will be, as far as it is known."""

    @property
    def listed(self) -> set[int] | None:
        """The ids that were listed so far; None when there is no listing."""

    def ids(self, wanted: Wanted) -> AsyncIterator[int]:
        """Yield each id that is wanted once."""

    def known(self, id_: int) -> Listed:
        """Give what is known of an id that was yielded."""

    def rejected(self) -> list[Rejected]:
        """Give the items that cannot be decoded, once."""

    def evidence(self) -> ListingEvidence | None:
        """Give what is known of the completeness of what was yielded."""


class GivenIds:
    """The ids that a caller names, repeats left out.

    Args:
        given: The ids, read at once.

    Raises:
        InvalidArgumentError: One is no integer.
    """

    listed = None

    def __init__(self, given: Iterable[int]) -> None:
        self._given = tuple(dict.fromkeys(map(_integer, given)))

    @property
    def intent(self) -> str:
        """The ids, whatever their order."""
        words = ",".join(sorted(map(repr, self._given)))
        return f"ids {hashlib.sha256(words.encode()).hexdigest()}"

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self._given)

    async def ids(self, wanted: Wanted) -> AsyncIterator[int]:
        """Yield each id that is wanted, in the order in which they were given."""
        for id_ in self._given:
            if wanted(id_, Listed()):
                yield id_

    def known(self, id_: int) -> Listed:  # noqa: ARG002 - the protocol's
        """Give nothing: what is named was not listed."""
        return Listed()

    def rejected(self) -> list[Rejected]:
        """Give nothing: there are no items."""
        return []

    def evidence(self) -> None:
        """Give nothing: what the caller names is all that is wanted."""


class ListedIds:
    """The ids of a listing, page after page, as they are needed.

    Args:
        collections: What lists them.
        shared: Which of them: True for those shared with the account, False for its own, None for all.
        outlast: Waits for the end of an outage that an error tells of, or raises.

    Raises:
        InvalidArgumentError: ``shared`` is none of the three.
    """

    def __init__(
        self,
        collections: DataCollections,
        shared: bool | None,  # noqa: FBT001 - the service's own parameter
        outlast: Callable[[AegisError], Awaitable[None]],
    ) -> None:
        self._outlast = outlast
        self.intent = f"listing shared={shared}"
        self.listed = set[int]()
        self._listing = partial(
            list_items, collections, key_of, page_size=_PAGE_SIZE, prefetch=_PREFETCH, shared=shared
        )
        self._decode = summary_decoder(collections)
        self._known: dict[int, Listed] = {}
        self._rejected: list[Rejected] = []
        self._set_aside = set[str]()
        self._unreadable = 0
        self._walk = self._listing()
        self._last: PageMeta | None = None

    @property
    def total(self) -> int | None:
        """What the last page stated."""
        return self._last.total_items if self._last else None

    async def ids(self, wanted: Wanted) -> AsyncIterator[int]:
        """Yield each id that is wanted, in the service's order; those that only a later sweep finds come last."""
        while True:
            try:
                async with self._walk.pages() as pages:
                    async for page in pages:
                        for id_, known in self._new(page):
                            if wanted(id_, known):
                                self._known[id_] = known
                                yield id_
            except AegisError as error:
                if self._last is None:  # an address where nobody has answered yet is no outage
                    raise
                await self._outlast(error)
                self._walk = self._listing()
            else:
                return

    def _new(self, page: Page[msgspec.Raw]) -> Iterator[tuple[int, Listed]]:
        self._last = page.meta
        for item in page.items:
            id_, known = self._read(bytes(item))
            if id_ is not None and id_ not in self.listed:
                self.listed.add(id_)
                yield id_, known

    def known(self, id_: int) -> Listed:
        """Give what the listing showed of an id, once."""
        return self._known.pop(id_, Listed())

    def rejected(self) -> list[Rejected]:
        """Give the items that cannot be decoded, once."""
        rejected, self._rejected = self._rejected, []
        return rejected

    def _read(self, item: bytes) -> tuple[int | None, Listed]:
        fingerprint = hashlib.blake2b(item, digest_size=8).hexdigest()
        try:
            summary = self._decode(item)
        except DecodeError as error:
            return self._reject(item, fingerprint, error), Listed(fingerprint, settled=False)
        settled = all(run.finished_at is not None for run in summary.runs)
        return summary.id, Listed(fingerprint, settled)

    def _reject(self, item: bytes, fingerprint: str, error: DecodeError) -> int | None:
        id_ = key_of(item)
        readable = id_ if isinstance(id_, int) else None
        if fingerprint not in self._set_aside:  # a later sweep, or the walk after an outage, shows it again
            self._set_aside.add(fingerprint)
            self._rejected.append(Rejected(readable, item, f"item of the listing: {error}"))
            self._unreadable += readable is None
        return readable

    def evidence(self) -> ListingEvidence:
        """Give what the listing says of its own completeness."""
        report = self._walk.report
        return ListingEvidence(
            pages=report.pages,
            items=len(self.listed),
            repeats=report.repeats,
            total_first=report.total_first,
            total_last=report.total_last,
            sweeps=report.sweeps,
            evidence=report.evidence,
            unreadable=self._unreadable,
            complete=report.complete and not self._unreadable,
            reason=f"{self._unreadable} of its items show no id" if self._unreadable else report.reason,
        )


def _integer(given: object) -> int:
    # The report keeps ids as numbers: what is none would make it a file that nobody can read.
    if isinstance(given, bool) or not isinstance(given, int):
        raise InvalidArgumentError(f"ids must be an iterable of integers, not of {type(given).__name__}")
    return given


class _Id(msgspec.Struct):
    id: int


def key_of(item: bytes | msgspec.Raw) -> int | bytes:
    """Give the id of a listed item, or its bytes where it shows none that can be asked for."""
    data = bytes(item)
    try:
        id_ = msgspec.json.decode(data, type=_Id).id
    except BROKEN:
        return data
    return id_ if id_ >= 1 else data
