"""A finished export as a source: each answer is of one commit, and a later commit is news."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from os import PathLike
from typing import Final, Self, TypeVar

import duckdb

from aegis_async._tasks import Closing, finish
from aegis_async.dashboard._facts import CollectionFacts
from aegis_async.dashboard._snapshot import Snapshot, snapshot_of
from aegis_async.dashboard._source import Bell, Evaluations, Found, State
from aegis_async.dashboard._tables import Tables
from aegis_async.errors import ExportError, InvalidArgumentError, NotFoundError

__all__ = ["ExportSource"]

T = TypeVar("T")
_LOOK: Final = 5.0  # seconds from one look for a newer export to the next


class ExportSource(Closing):
    """The numbers of a finished export, for accounts too large to hold.

    Each answer is of one commit of the export: while another run is writing to the folder, of the last one that it has
    made, never of two. While this is open it looks for a newer one. Numbers are added up in one pass over the runs;
    memory does not grow with the evaluations.

    Args:
        out: The folder of an export that wrote Parquet.

    Raises:
        InvalidArgumentError: ``out`` holds no finished export with Parquet files.
    """

    def __init__(self, out: str | PathLike[str]) -> None:
        self.bell: Bell = Bell()
        self._out = out
        self._snapshot = snapshot_of(self._out)
        self._told = self._snapshot.version
        self._tables = Tables()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks.append(asyncio.create_task(self._follow()))
        return self

    async def aclose(self) -> None:
        """End every stream of events and close the files."""
        self.bell.silence()
        tasks, self._tasks = self._tasks, []
        await finish(*tasks)
        self.close()

    def close(self) -> None:
        """Close the files, where no loop runs."""
        self._tables.close()

    def state(self) -> State:
        """Give which export this is, and how old."""
        report = self._snapshot.report
        return State(
            status="export",
            version=self._snapshot.version,
            age=round((datetime.now(UTC) - report.started_at).total_seconds(), 1),
            ping=None,
            problem=None if report.status == "complete" else f"The export is {report.status}: {report.reason}",
            collections=self._snapshot.collections,
            pending=0,
            cache=None,
        )

    def book(self) -> Iterable[CollectionFacts]:
        """Give every collection in numbers, read as it is iterated.

        Raises:
            ExportError: The files cannot be read. If the state has another version afterwards, a later export has
                taken them away: ask again.
        """
        return self._kept(self._snapshot)

    async def collection(self, collection_id: int) -> Found:
        """Give one collection.

        Raises:
            NotFoundError: The export has none of this id.
            ExportError: The files cannot be read.
        """
        return await asyncio.to_thread(self._whole, lambda snapshot: self._found(snapshot, collection_id))

    async def evaluations(self, collection_id: int, run_id: int, page: int) -> Evaluations:
        """Give a page of a run's evaluations.

        Raises:
            NotFoundError: The export has no such collection.
            ExportError: The files cannot be read.
        """

        def read(snapshot: Snapshot) -> Evaluations:
            found = self._found(snapshot, collection_id)
            return Evaluations(found, *self._tables.evaluations(snapshot, collection_id, run_id, page))

        return await asyncio.to_thread(self._whole, read)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            try:
                self._snapshot = await asyncio.to_thread(snapshot_of, self._out)
            except InvalidArgumentError:  # an export is under way; the last one stays as it is read
                continue
            if self._snapshot.version != self._told:
                self._told = self._snapshot.version
                self.bell.ring()

    def _whole(self, read: Callable[[Snapshot], T]) -> T:
        """Read from one snapshot alone, from a later one where an export has taken its files away meanwhile.

        Each further try needs a further commit, and an export ends.
        """
        while True:
            snapshot = self._snapshot
            try:
                return read(snapshot)
            except duckdb.Error as error:
                complaint = self._unreadable(error)
            if not self._renewed_since(snapshot):
                raise complaint

    def _kept(self, snapshot: Snapshot) -> Iterator[CollectionFacts]:
        try:
            yield from self._tables.facts(snapshot)
        except duckdb.Error as error:
            complaint = self._unreadable(error)
        else:
            return
        self._renewed_since(snapshot)
        raise complaint

    def _renewed_since(self, before: Snapshot) -> bool:
        """Look for a later snapshot, and tell whether there is one."""
        try:
            self._snapshot = snapshot_of(self._out)
        except InvalidArgumentError:  # the folder is gone or damaged, which the error of the read says already
            return False
        return self._snapshot.version != before.version

    def _unreadable(self, error: duckdb.Error) -> ExportError:
        return ExportError(f"{self._out} cannot be read: {error}")

    def _found(self, snapshot: Snapshot, collection_id: int) -> Found:
        facts = next(self._tables.facts(snapshot, collection_id), None)
        if facts is None:
            raise NotFoundError(f"the export has no collection {collection_id}")
        return Found(facts, self.state().age or 0.0, stale=False)
