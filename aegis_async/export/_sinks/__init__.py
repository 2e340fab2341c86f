"""Where batches go: one file for each format, and the table that names them.

A format is one module with a ``Writer`` and one line in `SINKS`. Sinks know nothing of each other, nor of
HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Final

from aegis_async.errors import ExportError
from aegis_async.export._sinks._protocol import Batch, PutPart, Sink

__all__ = ["RAW", "SINKS", "Batch", "Format", "PutPart", "Sink"]


@dataclass(frozen=True, slots=True)
class Format:
    """What is known of a format before its module is imported.

    Attributes:
        module: The module, which has a class ``Writer`` that is a `Sink`.
        needs: The packages that it imports.
        extra: The extra of this package that brings them.
    """

    module: str
    needs: tuple[str, ...]
    extra: str

    def require(self) -> None:
        """Find out what is not installed before anything is written.

        Raises:
            ExportError: A package is not installed; the text has the command to run.
        """
        missing = [package for package in self.needs if not _is_installed(package)]
        if missing:
            command = f'pip install "aegis-async[{self.extra}]"'
            raise ExportError(f"this export needs {' and '.join(missing)}, which is not installed: {command}")

    def open(self, put: PutPart) -> Sink:
        """Give a sink of this format that writes its parts with ``put``."""
        writer: type[Sink] = import_module(f"{__name__}.{self.module}").Writer
        return writer(put)


def _is_installed(package: str) -> bool:
    try:
        import_module(package)
    except ImportError:
        return False
    return True


SINKS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "parquet": Format("_parquet", ("pyarrow",), "export"),
    }
)
RAW: Final = Format("_raw", ("pyarrow",), "export")
"""The bodies as they came, which every export has beside its formats."""
