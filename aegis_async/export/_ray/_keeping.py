"""The sink of a worker: it writes parts, and keeps account of them for whoever commits."""

from collections.abc import Mapping, Sequence

from aegis_async.export._commits import Chunk, SetAside
from aegis_async.export._evidence import ListingEvidence
from aegis_async.export._holdings import Holdings, Pass
from aegis_async.export._shelf import Shelf
from aegis_async.export._sinks import Batch
from aegis_async.export._sinks._file_format import FileFormat
from aegis_async.export._sinks._files import written

__all__ = ["Keeping"]


class Keeping:
    """Writes what one partition gives.

    Args:
        shelf: Where to.
        forms: The formats of each chunk.
        number: The pass under way.

    Attributes:
        chunks: What was written.
        aside: What becomes no row.
        holdings: Nothing: what is lacking was decided before.
        demands: Whether it decides that; no.
    """

    demands = False

    def __init__(self, shelf: Shelf, forms: Sequence[FileFormat], number: int) -> None:
        self._shelf = shelf
        self._forms = forms
        self._number = number
        self.chunks: list[Chunk] = []
        self.aside: list[SetAside] = []
        self.holdings = Holdings((), (), Pass())

    def write(self, batch: Batch) -> None:
        """Write the rows of these collections, and what is set aside.

        Raises:
            ExportError: They could not be written.
        """
        chunks, aside = written(self._shelf, self._forms, self._number, batch)
        self.chunks += chunks
        self.aside += aside

    def bury(self, ids: Sequence[int], *, drop: bool) -> None:
        """Do nothing: whoever commits knows what is gone."""

    def finish(self, listing: ListingEvidence | None) -> None:
        """Do nothing: whoever commits ends the pass."""

    def rows(self) -> Mapping[str, int]:
        """Give nothing: whoever commits counts."""
        return {}

    def close(self) -> None:
        """Do nothing: what was written stays."""
