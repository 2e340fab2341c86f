"""What becomes of ids: their bodies go to the writer, and of each it is said what was got or why not."""

from collections.abc import AsyncIterable, Callable, Iterable
from types import TracebackType
from typing import Final, Protocol, Self, TypeAlias

from aegis_async._fanout import Outcome
from aegis_async._resources.data_collections import CollectionBody, is_too_large
from aegis_async.errors import AegisError, AuthenticationError, ClientClosedError, ExportError
from aegis_async.export._batches import Fetched
from aegis_async.export._courier import Courier
from aegis_async.export._large import large_draft
from aegis_async.export._rows import count
from aegis_async.export._source import Listed
from aegis_async.export._tally import Got
from aegis_async.export._writer import BatchWriter

__all__ = ["Engine", "Fetching", "Ids", "Known", "Take"]

Ids: TypeAlias = Iterable[int] | AsyncIterable[int]
Known: TypeAlias = Callable[[int], Listed]
Take: TypeAlias = Callable[[int, Listed, Got | AegisError], None]

# What is wrong with one collection is that one's error; these are wrong for every one.
_ENDS_ALL: Final = (AuthenticationError, ClientClosedError, ExportError)


class Engine(Protocol):
    """Fetches collections and has them written, in this process or in others. It works inside its ``async with``."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def fetch(self, ids: Ids, known: Known, take: Take, *, anywhere: bool = False) -> None:
        """Fetch each id, and tell ``take`` what was got or why not.

        Args:
            ids: The ids, read as they are needed.
            known: Gives what is known of an id; asked once for each.
            take: Told of each id, in any order.
            anywhere: Whether to fetch collections whoever they belong to.

        Raises:
            ExportError: Something could not be written, or the service did not answer for too long.
            AegisError: The ids could not be read, or the service refused the key.
        """


class Fetching:
    """Fetches in this process, several at a time.

    Args:
        courier: What fetches.
        writer: What takes the bodies.
    """

    def __init__(self, courier: Courier, writer: BatchWriter) -> None:
        self._courier = courier
        self._writer = writer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the client and the writer to their owners."""

    async def fetch(self, ids: Ids, known: Known, take: Take, *, anywhere: bool = False) -> None:
        """Fetch each id, hand its body to the writer, and tell ``take``.

        Raises:
            ExportError: A batch could not be written, or the service did not answer for too long.
            AegisError: The ids could not be read, or the service refused the key.
        """
        courier = self._courier.anywhere() if anywhere else self._courier
        async with courier.bodies(ids).outcomes() as outcomes:
            async for outcome in outcomes:
                if courier.outage.ended is not None:
                    raise courier.outage.ended
                listed = known(outcome.id)
                take(outcome.id, listed, await self._kept(courier, outcome, listed))

    async def _kept(self, courier: Courier, outcome: Outcome[CollectionBody], listed: Listed) -> Got | AegisError:
        """Hand a body to the writer, and give what it holds, or why there is none."""
        body = outcome.value
        if body is not None:
            await self._writer.add(Fetched(body, listed))
            return Got(body.value is not None, count(body.value) if body.value else 0, len(body.body))
        if outcome.error is not None and not is_too_large(outcome.error):
            return outcome.error
        try:
            async with courier.large(outcome.id) as stream:
                draft = await large_draft(stream, listed)
        except _ENDS_ALL:
            raise
        except AegisError as error:
            return error
        await self._writer.add_alone(draft)
        return Got(bool(draft.marks), sum(rows.num_rows for _, rows in draft.pieces), draft.size)
