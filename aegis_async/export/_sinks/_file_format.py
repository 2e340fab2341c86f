"""What a format of files is: tables to bytes and back."""

from typing import TYPE_CHECKING, Final, Protocol

from aegis_async.export._layout import RAW
from aegis_async.export._schema import TABLES
from aegis_async.export._store import Data

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["RAW_TABLES", "TABLE_NAMES", "FileFormat"]

TABLE_NAMES: Final = tuple(table.name for table in TABLES)
RAW_TABLES: Final = (RAW,)


class FileFormat(Protocol):
    """Turns a table into one file and back.

    Attributes:
        name: Its name, as in the report.
        extension: What its files end in.
        tables: The tables that it has files of, which are also their folders.
    """

    name: str
    extension: str
    tables: tuple[str, ...]

    def encode(self, table: "pa.Table") -> Data:
        """Give the bytes of a file with these rows."""

    def decode(self, data: bytes, schema: "pa.Schema") -> "pa.Table":
        """Give the rows of a file's bytes, in this schema.

        Raises:
            ValueError: They are not as `encode` makes them.
        """
