"""A finished export beside a fresh listing: what is new, what has changed, what is gone."""

from collections.abc import Iterator
from os import PathLike
from typing import TYPE_CHECKING

from aegis_async.errors import AegisError
from aegis_async.export._commits import State, read_commits
from aegis_async.export._holdings import Mark
from aegis_async.export._source import Listed, ListedIds
from aegis_async.export._stores import store_of
from aegis_async.export._threads import off_loop

if TYPE_CHECKING:
    from aegis_async._client import AegisClient

__all__ = ["compare"]


async def compare(client: "AegisClient", out: str | PathLike[str], *, shared: bool | None = None) -> list[str]:
    """Give how an export differs from what the service lists now, a sentence each; nothing when it does not.

    Only listing requests are made: a collection has changed when its summary has.

    Args:
        client: The client to list with.
        out: The folder or URL of an export.
        shared: What to list, as in `export`.

    Raises:
        ExportError: It is no export, or its commits cannot be read.
        AegisError: The listing failed.
    """
    state = await off_loop(_state, out)
    marks = {mark.id: mark for chunk in state.chunks.values() for mark in chunk.marks}
    found: list[str] = []

    def look(id_: int, listed: Listed) -> bool:
        found.extend(_difference(id_, listed, marks.get(id_)))
        return False

    source = ListedIds(client.data_collections, shared, _raise)
    async for _ in source.ids(look):
        raise AssertionError("nothing is wanted")
    evidence = source.evidence()
    if not evidence.complete:
        found.append(f"the listing may lack something: {evidence.reason}")
    gone = sorted(marks.keys() - state.buried - source.listed)
    return found + [f"collection {id_} is held, and no longer listed" for id_ in gone]


def _state(out: str | PathLike[str]) -> State:
    return State(read_commits(store_of(out)))


def _difference(id_: int, listed: Listed, mark: Mark | None) -> Iterator[str]:
    if mark is None:
        yield f"collection {id_} is listed, and not held"
    elif mark.fingerprint not in {"", listed.fingerprint}:  # one that was named, not listed, shows no change
        yield f"collection {id_} has changed since it was fetched"


async def _raise(error: AegisError) -> None:
    raise error
