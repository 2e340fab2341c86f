"""Listings and collections of any size, made when they are asked for: ``python -m benchmarks.counted`` prints its URL.

``URL/KIND/ITEMS`` is the base URL of an account with so many items, each different by its id alone; a ``lean`` one is
the example of the service's page, a ``fat`` one has runs as the sandbox makes them.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec

from aegis_async.sandbox import Sandbox
from benchmarks.bodies import fetched, page_meta
from benchmarks.server import Answers, answer, serve_answers

__all__ = ["Kinds", "page"]

_COLLECTIONS: Final = 200
_LEAN: Final = 14
_START: Final = b'{"id":'

Kinds = Mapping[str, list[bytes]]
"""What follows the id of each item, by kind."""


class _Listing(msgspec.Struct):
    items: list[msgspec.Raw]


def page(rests: list[bytes], number: int, size: int, total: int) -> bytes:
    """Give one page of so many items in all."""
    ids = range((number - 1) * size + 1, min(number * size, total) + 1)
    items = b",".join(b'{"id":%d%b' % (id_, rests[id_ % len(rests)]) for id_ in ids)
    return b'{"items":[%b],"meta":%b}' % (items, msgspec.json.encode(page_meta(number, size, total)))


def kinds() -> Kinds:
    """Take the items from the sandbox."""
    with Sandbox(collections=_COLLECTIONS) as sandbox:
        body = fetched(sandbox, f"data-collections?page=1&page_size={_COLLECTIONS}")
    items = [bytes(item) for item in msgspec.json.decode(body, type=_Listing).items]
    rests = [item[item.index(b",") :] for item in items]
    lean = next(rest for item, rest in zip(items, rests, strict=True) if item.startswith(b"%b%d," % (_START, _LEAN)))
    return {"lean": [lean], "fat": rests}


class _Counted(Answers):
    """One connection.

    Args:
        found: The items.
    """

    def __init__(self, found: Kinds) -> None:
        super().__init__({})
        self._kinds = found

    def found(self, target: bytes) -> bytes:
        """Make a page."""
        path, _, query = target.decode().partition("?")
        _, kind, total, *_ = path.split("/")
        asked = dict(pair.split("=") for pair in query.split("&"))
        return answer(page(self._kinds[kind], int(asked["page"]), int(asked["page_size"]), int(total)))


if __name__ == "__main__":
    made = kinds()
    asyncio.run(serve_answers(lambda: _Counted(made)))
