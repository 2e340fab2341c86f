"""Serves collections and listings up to a size: ``python -m benchmarks.large_server MEGABYTES``."""

import asyncio
import json
import sys
from collections.abc import Iterator
from typing import Final

import msgspec

from aegis_async.sandbox import Sandbox
from benchmarks.bodies import PREFIX, fetched, paged
from benchmarks.large_case import COPIES, LARGE, MEDIUM, PAGE_SIZE, PATH, ROWS, SMALL
from benchmarks.server import serve_bodies

__all__ = ["large_bodies"]

_SHARES: Final = {LARGE: 1.0, MEDIUM: 1 / 3, SMALL: 1 / 30}
_GROWING: Final = 2000  # items of the listing whose pages grow
_GROWN: Final = [25 * 2**doublings for doublings in range(9)]


def large_bodies(megabytes: float) -> dict[str, bytes]:
    """Give what every case reads, the largest collection of so many megabytes."""
    size = round(megabytes * 1e6)
    with Sandbox(collections=100) as sandbox:
        collection = json.loads(fetched(sandbox, "data-collections/4"))
        items = msgspec.json.decode(fetched(sandbox, "data-collections?page_size=100"))["items"]
    run = msgspec.json.encode(collection["runs"][0])
    found = {path: _repeated(collection, run, size * share) for path, share in _SHARES.items()}
    found |= {f"{PATH}/{id_}": found[SMALL] for id_ in COPIES}
    evaluation = msgspec.json.encode(collection["runs"][0]["evaluations"][0])
    found[ROWS] = msgspec.json.encode([msgspec.Raw(evaluation)] * max(1, size // len(evaluation)))
    return {**{PREFIX + path: body for path, body in found.items()}, **dict(_pages(items, size))}


def _repeated(collection: dict[str, object], run: bytes, size: float) -> bytes:
    return msgspec.json.encode(collection | {"runs": [msgspec.Raw(run)] * max(1, round(size / len(run)))})


def _pages(items: list[dict[str, object]], size: int) -> Iterator[tuple[str, bytes]]:
    """Give one page of the most items, or as many as a body of that size has, and pages of a listing that may grow."""
    count = max(1, min(PAGE_SIZE, size * len(items) // len(msgspec.json.encode(items))))
    raw = [msgspec.Raw(msgspec.json.encode(items[i % len(items)] | {"id": i + 1})) for i in range(count)]
    yield from paged(raw, PAGE_SIZE)
    for page_size in _GROWN:
        yield from paged(raw[:_GROWING], page_size)


if __name__ == "__main__":
    asyncio.run(serve_bodies(large_bodies(float(sys.argv[1]))))
