"""The bytes that the fixture server answers with, taken from the sandbox once and cut to the sizes wanted."""

import json
from collections.abc import Iterator
from typing import Final
from urllib.request import Request, urlopen

import msgspec

from aegis_async.sandbox import Sandbox
from benchmarks.works import BIG, PAGE_SIZES, Scale

__all__ = ["PREFIX", "bodies", "fetched", "grown_to", "paged"]

PREFIX: Final = "/api/v1"
_PATH: Final = f"{PREFIX}/data-collections"
_SMALL: Final = 14  # the example of the service's page: 1.9 KB
_BIG_SIZE: Final = 240_000


class _Listing(msgspec.Struct):
    items: list[msgspec.Raw]


def bodies(scale: Scale) -> dict[str, bytes]:
    """Give the body of every target that the works ask for."""
    with Sandbox(collections=max(scale.items, _SMALL)) as sandbox:
        items = _items(sandbox, scale.items)
        small = fetched(sandbox, f"data-collections/{_SMALL}")
        big = _grown(small, fetched(sandbox, "data-collections/4"), _BIG_SIZE)
    pages = {target: body for size in PAGE_SIZES for target, body in paged(items, size)}
    few = {f"{_PATH}/{id_}": small for id_ in range(1, max(scale.small, scale.ids) + 1)}
    many = {f"{_PATH}/{id_}": big for id_ in range(BIG, BIG + scale.big)}
    return {**pages, **few, **many}


def _items(sandbox: Sandbox, count: int) -> list[msgspec.Raw]:
    body = fetched(sandbox, f"data-collections?page=1&page_size={count}")
    return msgspec.json.decode(body, type=_Listing).items


def fetched(sandbox: Sandbox, target: str) -> bytes:
    """Give the body of one target of a sandbox."""
    request = Request(f"{sandbox.url}/{target}", headers={"Authorization": f"Bearer {sandbox.api_key}"})  # noqa: S310 - loopback
    with urlopen(request) as answer:  # noqa: S310 - as above
        body: bytes = answer.read()
    return body


def grown_to(size: int) -> bytes:
    """Give a collection of about so many bytes."""
    with Sandbox(collections=_SMALL) as sandbox:
        return _grown(fetched(sandbox, f"data-collections/{_SMALL}"), fetched(sandbox, "data-collections/4"), size)


def _grown(small: bytes, larger: bytes, wanted: int) -> bytes:
    """Give the small collection with a run of the larger one, as often as it takes."""
    collection, run = json.loads(small), json.loads(larger)["runs"][0]
    size = len(json.dumps(run, separators=(",", ":")))
    collection["runs"] = [run] * max(1, round(wanted / size))
    return json.dumps(collection, separators=(",", ":")).encode()


def paged(items: list[msgspec.Raw], size: int) -> Iterator[tuple[str, bytes]]:
    """Yield each page of ``items``, with its target."""
    total = -(-len(items) // size)
    for page in range(1, total + 1):
        shown = items[(page - 1) * size : page * size]
        meta = {
            "current_page": page,
            "page_size": size,
            "total_items": len(items),
            "items_on_page": len(shown),
            "total_pages": total,
            "has_next": page < total,
            "has_previous": page > 1,
            "next_page": page + 1 if page < total else None,
            "previous_page": page - 1 if page > 1 else None,
        }
        yield f"{_PATH}?page={page}&page_size={size}", msgspec.json.encode({"items": shown, "meta": meta})
