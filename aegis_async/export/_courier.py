"""What fetches: most collections several at a time, a large one by itself and slice by slice."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeAlias

from aegis_async._fanout import FanOut
from aegis_async._resources.data_collections import (
    BodyStream,
    CollectionBody,
    DataCollections,
    get_bodies,
    stream_body,
)
from aegis_async.export._documents import Texts
from aegis_async.export._outage import Outage

__all__ = ["Courier"]

Ids: TypeAlias = Iterable[int] | AsyncIterable[int]


class Courier:
    """Fetches bodies, and waits while the service does not answer.

    Args:
        collections: Where from.
        outage: What every request goes through.
        concurrency: How many are fetched at a time.
        stream_above: Bytes of a body above which it is fetched by itself.
        shared: Which of them: True for those shared with the account, False for its own, None for all.
    """

    def __init__(
        self,
        collections: DataCollections,
        outage: Outage,
        concurrency: int,
        stream_above: int,
        *,
        shared: bool | None = None,
    ) -> None:
        self.outage = outage
        self._collections = collections
        self._concurrency = concurrency
        self._stream_above = stream_above
        self._shared = shared
        self._texts = Texts()

    def anywhere(self) -> "Courier":
        """Give one that fetches collections whoever they belong to."""
        return Courier(self._collections, self.outage, self._concurrency, self._stream_above)

    def bodies(self, ids: Ids) -> FanOut[CollectionBody]:
        """Give the bodies of ids; a large one is an error that ``is_too_large`` knows."""
        return get_bodies(
            self._collections,
            ids,
            concurrency=self._concurrency,
            shared=self._shared,
            through=self.outage.through,
            max_size=self._stream_above,
            most=self._texts,
        )

    @asynccontextmanager
    async def large(self, id_: int) -> AsyncIterator[BodyStream]:
        """Give a large body for as long as the block lasts.

        Raises:
            AegisError: It could not be fetched.
        """
        async with AsyncExitStack() as stack:

            async def opened() -> BodyStream:
                await stack.aclose()  # of the probe that saw an outage end: one such body in memory is enough
                return await stack.enter_async_context(stream_body(self._collections, id_, shared=self._shared))

            yield await self.outage.through(opened)
