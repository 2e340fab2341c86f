"""The bytes that the fixture server answers with, taken from the sandbox once and cut to the sizes wanted."""

import json
from collections.abc import Iterator
from itertools import cycle
from typing import Final
from urllib.request import Request, urlopen

import msgspec

from aegis_async.sandbox import Sandbox
from benchmarks.works import BIG, PAGE_SIZES, Scale

__all__ = ["PREFIX", "big_bodies", "bodies", "fetched", "grown_to", "page_meta", "paged"]

PREFIX: Final = "/api/v1"
_PATH: Final = f"{PREFIX}/data-collections"
_SMALL: Final = 14  # the example of the service's page: 1.9 KB
_BIG_SIZE: Final = 240_000


class _Listing(msgspec.Struct):
    items: list[msgspec.Raw]


def bodies(scale: Scale) -> dict[str, bytes]:
    """Give the body of every target that the works ask for, but for the big ones."""
    with Sandbox(collections=max(scale.items, _SMALL)) as sandbox:
        items = _items(sandbox, scale.items)
        small = fetched(sandbox, f"data-collections/{_SMALL}")
    pages = {target: body for size in PAGE_SIZES for target, body in paged(items[: size * scale.pages_of(size)], size)}
    few = {f"{_PATH}/{id_}": small for id_ in range(1, max(scale.small, scale.ids) + 1)}
    return {**pages, **few}


def big_bodies(scale: Scale) -> dict[str, bytes]:
    """Give the body of every big collection."""
    return dict.fromkeys((f"{_PATH}/{id_}" for id_ in range(BIG, BIG + scale.big)), grown_to(_BIG_SIZE))


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
    """Give a collection of about so many bytes, of runs that differ."""
    with Sandbox(collections=_SMALL) as sandbox:
        collection = json.loads(fetched(sandbox, f"data-collections/{_SMALL}"))
        others = [json.loads(fetched(sandbox, f"data-collections/{id_}")) for id_ in range(1, _SMALL)]
    runs = [json.dumps(run, separators=(",", ":")) for other in others for run in other["runs"] if run["evaluations"]]
    collection["runs"] = [msgspec.Raw(run.encode()) for run in _enough(sorted(runs, key=len), size)]
    return msgspec.json.encode(collection)


def _enough(runs: list[str], size: int) -> Iterator[str]:
    """Yield one at least, and then as many as come nearest to so many bytes."""
    for run in cycle(runs):
        yield run
        size -= len(run)
        if size < len(run) / 2:
            return


def paged(items: list[msgspec.Raw], size: int) -> Iterator[tuple[str, bytes]]:
    """Yield each page of ``items``, with its target, and the empty one beyond the end."""
    total = -(-len(items) // size)
    for page in range(1, total + 2):
        shown = items[(page - 1) * size : page * size]
        meta = page_meta(page, size, len(items))
        yield f"{_PATH}?page={page}&page_size={size}", msgspec.json.encode({"items": shown, "meta": meta})


def page_meta(page: int, size: int, items: int) -> dict[str, object]:
    """Give what the service says about a page of a listing."""
    total = -(-items // size)
    return {
        "current_page": page,
        "page_size": size,
        "total_items": items,
        "items_on_page": max(0, min(size, items - (page - 1) * size)),
        "total_pages": total,
        "has_next": page < total,
        "has_previous": page > 1,
        "next_page": page + 1 if page < total else None,
        "previous_page": page - 1 if page > 1 else None,
    }
