"""Whole listings, each in a process of its own: the memory that they take, and how both time and memory grow."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeAlias
from urllib.request import urlopen

import msgspec

from benchmarks.alone import Walk
from benchmarks.rounds import Process, cores

__all__ = ["KEPT", "Walks", "measure"]

Walks: TypeAlias = dict[str, Walk]
"""By what was walked."""

KEPT: Final = ("aegis_async", "bare, default Structs", "httpx + pydantic")
_PAGE: Final = 1000
_LARGE: Final = 10_000
_SIZES: Final = tuple(10**power for power in range(2, 7))

_FULL: Final = 100_000
_QUICK: Final = 5_000


def measure(tell: Callable[[str], object], *, quick: bool) -> Walks:
    """Give the memory of lists that are kept, of large pages, and of longer and longer listings."""
    kept = _QUICK if quick else _FULL
    cases = {f"collect {kept} items: {name}": (name, "collect", "fat", kept, _PAGE) for name in KEPT}
    cases[f"walk {kept} items in pages of {_LARGE}"] = ("aegis_async", "walk", "fat", kept, _LARGE)
    for size in _SIZES[:3] if quick else _SIZES:
        cases[f"walk {size} items"] = ("aegis_async", "walk", "lean", size, _PAGE)
    with _counted() as url:
        walks = {}
        for case, asked in cases.items():
            tell(case)
            walks[case] = _walked(url, *asked)
        return walks


def _walked(url: str, name: str, call: str, kind: str, items: int, page_size: int) -> Walk:
    pages = max(1, items // page_size)
    base = f"{url}/{kind}/{items}"
    with urlopen(f"{base}/data-collections?page=1&page_size={page_size}") as answer:  # noqa: S310 - loopback
        page = len(answer.read())
    process = Process(cores()[1], "alone", name, call, base, page_size, pages)
    try:
        return msgspec.structs.replace(msgspec.json.decode(process.read(), type=Walk), page=page)
    finally:
        process.close()


@contextmanager
def _counted() -> Iterator[str]:
    server = Process(cores()[0], "counted")
    try:
        yield server.read()
    finally:
        server.close()
