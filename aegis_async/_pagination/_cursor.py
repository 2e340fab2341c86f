"""Where a walk stands, as a value that outlives the process."""

import msgspec

from aegis_async.errors import InvalidArgumentError

__all__ = ["Cursor"]


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """Where in a listing an iteration stands; ``list(cursor=…)`` goes on from there, in any process.

    It names a place by its page's number, as the service does, so what was created or deleted in between has
    shifted the items under it: one that was given before is then known by its id where it stood on this very page,
    and one that was shifted onto an earlier page is missed. A listing that was resumed is never called complete.

    Attributes:
        page: The page of the item that was given last, from 1.
        offset: How many items of that page were given or passed over.
        page_size: Items on a page, 1 to 10000.
        shared: The filter of the listing.
        ids: The ids of those ``offset`` items, where they are integers or text; else empty.
    """

    page: int = 1
    offset: int = 0
    page_size: int = 100
    shared: bool | None = None
    ids: tuple[int | str, ...] = ()

    def to_json(self) -> str:
        """Give the cursor as JSON."""
        return msgspec.json.encode(self).decode()

    @staticmethod
    def from_json(text: str | bytes) -> "Cursor":
        """Give back the cursor that :meth:`to_json` wrote.

        Raises:
            InvalidArgumentError: ``text`` is no cursor.
        """
        try:
            return msgspec.json.decode(text, type=Cursor)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            complaint = error
        raise InvalidArgumentError(f"cursor cannot be read: {complaint}")
