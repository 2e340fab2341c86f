"""Serves one large collection and one large page: ``python -m benchmarks.large_server MEGABYTES``."""

import asyncio
import json
import sys

import msgspec

from aegis_async.sandbox import Sandbox
from benchmarks.bodies import PREFIX, fetched, paged
from benchmarks.large_case import ID, PAGE_SIZE
from benchmarks.server import serve_bodies

__all__ = ["large_bodies"]


def large_bodies(megabytes: float) -> dict[str, bytes]:
    """Give a collection of so many megabytes, and a page of the most items, or as many as that takes."""
    size = round(megabytes * 1e6)
    with Sandbox(collections=100) as sandbox:
        collection = json.loads(fetched(sandbox, "data-collections/4"))
        items = msgspec.json.decode(fetched(sandbox, "data-collections?page_size=100"))["items"]
    run = msgspec.json.encode(collection["runs"][0])
    collection["runs"] = [msgspec.Raw(run)] * max(1, size // len(run))
    per_item = len(msgspec.json.encode(items)) // len(items)
    many = (items * (PAGE_SIZE // len(items)))[: max(1, size // per_item)]
    _, page = next(paged([msgspec.Raw(msgspec.json.encode(item)) for item in many], PAGE_SIZE))
    path = f"{PREFIX}/data-collections"
    return {f"{path}/{ID}": msgspec.json.encode(collection), f"{path}?page=1&page_size={PAGE_SIZE}": page}


if __name__ == "__main__":
    asyncio.run(serve_bodies(large_bodies(float(sys.argv[1]))))
