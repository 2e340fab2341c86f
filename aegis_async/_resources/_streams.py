"""One collection read run by run: what ``client.data_collections.stream`` gives."""

from collections.abc import AsyncIterator

from msgspec.structs import asdict

from aegis_async._decode import Split
from aegis_async.errors import ClientClosedError, DecodeError
from aegis_async.models import DataCollection, DataCollectionHead, Run

__all__ = ["CollectionStream"]


class CollectionStream:
    """One collection too large to be held in full: its own fields, and its runs one after the other.

    Its bytes are in memory until the ``async with`` ends; nothing is on the wire any more.

    Attributes:
        collection: The collection's own fields.
        size: Bytes of the body.
    """

    def __init__(self, split: Split[DataCollection], source: str) -> None:
        fields = asdict(split.value)
        del fields["runs"]
        self.collection: DataCollectionHead = DataCollectionHead(**fields)
        self.size: int = len(split.body)
        self._split: Split[DataCollection] | None = split
        self._source = source

    async def runs(self) -> AsyncIterator[Run]:
        """Give the runs in the service's order, decoded about half a megabyte at a time; each call begins anew.

        Raises:
            DecodeError: A run is not what the service documents; the runs well before it were given.
            ClientClosedError: The ``async with`` is over.
        """
        try:
            async for run in self._open().elements():
                yield run
                self._open()
        except DecodeError as error:
            error.args = (f"{error} ({self._source})",)
            raise

    async def aclose(self) -> None:
        """Let go of the bytes."""
        split, self._split = self._split, None
        if split is not None:
            await split.release()

    def _open(self) -> Split[DataCollection]:
        if self._split is None:
            raise ClientClosedError("the stream is closed: read its runs inside its async with")
        return self._split
