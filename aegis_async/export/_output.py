"""Where a run writes to: the folder, and the sinks in it and beside it."""

from collections.abc import Mapping
from contextlib import ExitStack
from os import PathLike
from typing import TYPE_CHECKING, NamedTuple

from aegis_async.export._folder import Folder
from aegis_async.export._report import Quarantined
from aegis_async.export._sinks import FILES, Place, Sink, databases, files_of

if TYPE_CHECKING:
    from aegis_async.export._sinks._files import Files

__all__ = ["Output", "Plan"]


class Plan(NamedTuple):
    """What was asked for.

    Attributes:
        out: The folder or URL.
        formats: The formats.
        batch_bytes: The size of bodies from which a batch is written.
        full: Whether what has not changed is fetched again too.
        drop: Whether rows go whose collection is gone.
        place: Where databases are.
    """

    out: str | PathLike[str]
    formats: tuple[str, ...]
    batch_bytes: int
    full: bool
    drop: bool
    place: Place


class Output:
    """The folder of an export, and its sinks.

    Args:
        folder: The folder, claimed.
        plan: What was asked for.
        intent: What is gone through.

    Attributes:
        files: The sink of the files, which are in every export.

    Raises:
        ExportError: A sink cannot be opened.
    """

    def __init__(self, folder: Folder, plan: Plan, intent: str) -> None:
        self.folder = folder
        self.plan = plan
        self.sinks: list[Sink] = []
        try:
            # The files come first: bodies are kept before a database has the rows.
            self.files: Files = files_of(folder, plan.formats, intent)
            self.sinks.append(self.files)
            self.sinks.extend(databases(plan.formats, intent, plan.place))
        except BaseException:
            self.close()
            raise

    def rows(self) -> Mapping[str, int]:
        """Give the rows by table of the first format that was asked for."""
        databases = [name for name in self.plan.formats if name not in FILES]
        first = self.plan.formats[0]
        return self.sinks[1 + databases.index(first) if first in databases else 0].rows()

    def quarantined(self) -> tuple[Quarantined, ...]:
        """Give what is in quarantine."""
        return tuple(Quarantined(one.id, one.reason, one.file) for one in self.folder.state.set_aside.values())

    def sizes(self) -> list[int]:
        """Give the size of each part."""
        return [part.bytes for part in self.folder.state.parts()]

    def close(self) -> None:
        """Let go of every sink and of the folder."""
        with ExitStack() as stack:
            stack.callback(self.folder.lock.release)
            while self.sinks:
                stack.callback(self.sinks.pop().close)
