"""What a run and its sinks say to each other."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from aegis_async.export._evidence import ListingEvidence
from aegis_async.export._holdings import Holdings, Mark

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Batch", "Packed", "Rejected", "Sink"]


class Rejected(NamedTuple):
    """Bytes that become no row.

    Attributes:
        id: The collection's id; None for an item of the listing that shows none.
        body: The bytes as they came.
        reason: What is wrong with them.
    """

    id: int | None
    body: bytes | bytearray
    reason: str


class Packed(NamedTuple):
    """A file of raw lines, in the place of their table where that would take too much memory.

    Attributes:
        data: Its bytes.
        num_rows: How many lines it holds.
        nbytes: What they take in memory.
    """

    data: "pa.Buffer"
    num_rows: int
    nbytes: int


class Batch(NamedTuple):
    """Some collections, each with all of its rows, and what is set aside.

    Attributes:
        marks: The collections; the pass of each is the sink's own to say.
        tables: The Arrow table of each table's name, in the schema of the export, and of ``raw``. Where the batch is
            one large collection, its raw line is packed already.
        rejected: What becomes no row.
    """

    marks: Sequence[Mark]
    tables: "Mapping[str, pa.Table | Packed]"
    rejected: Sequence[Rejected] = ()


class Sink(Protocol):
    """Keeps rows together with the marks of the collections that they belong to.

    Its calls block and are made in a thread, one at a time. Each of `write`, `bury` and `finish` happens as a
    whole or not at all, wherever the process dies.

    Attributes:
        holdings: What it holds; looked up from the event loop too.
        demands: Whether a collection must be fetched because this sink lacks it.
    """

    @property
    def holdings(self) -> Holdings: ...

    @property
    def demands(self) -> bool: ...

    def write(self, batch: Batch) -> None:
        """Put the rows of these collections in the place of what is held of them.

        Raises:
            ExportError: They could not be written.
        """

    def bury(self, ids: Sequence[int], *, drop: bool) -> None:
        """Note that the service no longer has these collections.

        Args:
            ids: The collections; those that are not held are left out.
            drop: Whether the rows of all buried collections go, and what is set aside of them, also those of earlier
                burials.

        Raises:
            ExportError: It could not be written.
        """

    def finish(self, listing: ListingEvidence | None) -> None:
        """End the pass: every table can be asked, and the next run begins another one.

        Raises:
            ExportError: It could not be written.
        """

    def rows(self) -> Mapping[str, int]:
        """Give how many rows each table holds."""

    def close(self) -> None:
        """Let go of everything; what was written stays."""
