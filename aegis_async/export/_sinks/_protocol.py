"""What a run and its sinks say to each other."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from aegis_async.export._commits import Part
from aegis_async.export._store import Data

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Batch", "PutPart", "Sink"]


class PutPart(Protocol):
    """Writes one part of this run as a whole."""

    def __call__(self, folder: str, number: int, extension: str, data: Data, *, rows: int) -> Part:
        """Write ``data`` as part ``number`` of ``folder`` and tell what it became."""


class Batch(NamedTuple):
    """Some collections in every form that a sink may want.

    Attributes:
        number: Its place in the run, from 1.
        bodies: Each collection's id and body.
        tables: The Arrow table of each table's name, in the schema of the export.
    """

    number: int
    bodies: Sequence[tuple[int, bytes]]
    tables: "Mapping[str, pa.Table]"


class Sink(Protocol):
    """Writes batches in one format.

    Its calls block and are made in a thread, one at a time. What it wrote counts only when the run commits.
    """

    def __init__(self, put: PutPart) -> None: ...

    def write(self, batch: Batch) -> Iterable[Part]:
        """Write one batch and give the parts that it became.

        Raises:
            ExportError: It could not be written.
        """

    def finish(self) -> Iterable[Part]:
        """Write what is left when the last batch was written, and give its parts.

        Raises:
            ExportError: It could not be written.
        """
