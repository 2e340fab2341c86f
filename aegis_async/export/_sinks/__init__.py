"""Where batches go: one file for each format, and the table that names them.

A format of files is one module with a class ``Format``, a database one with ``opened``, which gives a `Sink`; each
has one line here. Sinks know nothing of each other, nor of HTTP.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from aegis_async._version import __version__
from aegis_async.errors import ExportError
from aegis_async.export._sinks._protocol import Batch, Packed, Rejected, Sink

if TYPE_CHECKING:
    from aegis_async.export._folder import Folder
    from aegis_async.export._sinks._file_format import FileFormat
    from aegis_async.export._sinks._files import Files

__all__ = [
    "DATABASES",
    "FILES",
    "RAW_FILES",
    "SINKS",
    "Batch",
    "Known",
    "Packed",
    "Place",
    "Rejected",
    "Sink",
    "databases",
    "file_formats",
    "files_of",
    "is_installed",
    "missing_package",
    "require",
]


class Place(NamedTuple):
    """Where databases are.

    Attributes:
        out: The folder of the export, for those that are files; None when it is a URL.
        to: The address of the one that is none.
    """

    out: Path | None
    to: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a format before its module is imported.

    Attributes:
        module: The module, under this package.
        needs: The packages that it imports.
        extra: The extra of this package that brings them.
        by_address: Whether it is at an address that the caller gives.
        in_folder: Whether it is a file or folder that only a local folder can hold.
    """

    module: str
    needs: tuple[str, ...] = ("pyarrow",)
    extra: str = "export"
    by_address: bool = False
    in_folder: bool = False

    def require(self) -> None:
        """Find out what is not installed before anything is written.

        Raises:
            ExportError: A package is not installed; the text has the command to run.
        """
        missing = [package for package in self.needs if not is_installed(package)]
        if missing:
            raise missing_package(missing, self.extra)


def missing_package(packages: Sequence[str], extra: str) -> ExportError:
    """Give the error that says what to install."""
    command = f'pip install "aegis-async[{extra}]"'
    return ExportError(f"this export needs {' and '.join(packages)}, which is not installed: {command}")


def is_installed(package: str) -> bool:
    """Tell whether a package can be imported, and import it."""
    try:
        import_module(package)
    except ImportError:
        return False
    return True


FILES: Final[Mapping[str, Known]] = MappingProxyType(
    {
        "parquet": Known("_parquet"),
        "ndjson": Known("_ndjson"),
        "csv": Known("_csv"),
        "arrow": Known("_ipc"),
    }
)
DATABASES: Final[Mapping[str, Known]] = MappingProxyType(
    {
        "duckdb": Known("_duckdb", ("pyarrow", "duckdb"), "duckdb", in_folder=True),
        "sqlite": Known("_sqlite", in_folder=True),
        "postgres": Known("_postgres", ("pyarrow", "adbc_driver_postgresql"), "postgres", by_address=True),
        "delta": Known("_delta", ("pyarrow", "deltalake"), "delta", in_folder=True),
    }
)
SINKS: Final[Mapping[str, Known]] = MappingProxyType({**FILES, **DATABASES})
RAW_FILES: Final = Known("_raw")
"""The bodies as they came, which every export has beside its formats."""


def require(formats: Sequence[str]) -> None:
    """Find out what is not installed before anything is written.

    Raises:
        ExportError: A package is not installed; the text has the command to run.
    """
    for known in (RAW_FILES, *(SINKS[name] for name in formats)):
        known.require()


def files_of(folder: "Folder", formats: Sequence[str], intent: str) -> "Files":
    """Give the sink of the files in a folder.

    Raises:
        ExportError: The folder holds a format that this version does not know.
    """
    from aegis_async.export._sinks._files import Files  # noqa: PLC0415 - imports pyarrow, which is an extra

    known = file_formats(folder.state.formats_held)
    return Files(folder, [name for name in formats if name in FILES], known, intent)


def databases(formats: Sequence[str], intent: str, place: Place) -> Iterator[Sink]:
    """Yield the sinks of those formats that are databases.

    Raises:
        ExportError: One cannot be opened.
    """
    for name in formats:
        if name in DATABASES:
            database: Sink = import_module(f"{__name__}.{DATABASES[name].module}").opened(place.out, intent, place.to)
            yield database


def file_formats(held: Iterable[str] = ()) -> "dict[str, FileFormat]":
    """Give every format of files by name, raw bodies first.

    Args:
        held: The formats that an export holds already.

    Raises:
        ExportError: One of these is none that this version knows.
    """
    formats = {"raw": _made(RAW_FILES), **{name: _made(known) for name, known in FILES.items()}}
    if strange := sorted(set(held) - set(formats)):
        raise ExportError(
            f"the export holds {', '.join(strange)}, which aegis_async {__version__} does not know: "
            "use the version that wrote it, or export into a new folder"
        )
    return formats


def _made(known: Known) -> "FileFormat":
    made: FileFormat = import_module(f"{__name__}.{known.module}").Format()
    return made
