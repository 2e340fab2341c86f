"""Whole listings, each in a process of its own: the memory that they take, and how both time and memory grow."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
    cases = {f"collect {kept} items: {name}": _Asked(name, "collect", "fat", kept, _PAGE) for name in KEPT}
    cases[f"walk {kept} items in pages of {_LARGE}"] = _Asked(KEPT[0], "walk", "fat", kept, _LARGE)
    for size in _SIZES[:3] if quick else _SIZES:
        cases[f"walk {size} items"] = _Asked(KEPT[0], "walk", "lean", size, _PAGE)
    with _counted() as url:
        walks = {}
        for case, asked in cases.items():
            tell(case)
            walks[case] = asked.walked(url)
        return walks


@dataclass(frozen=True, slots=True)
class _Asked:
    name: str
    call: str
    kind: str
    items: int
    page_size: int

    def walked(self, url: str) -> Walk:
        base, pages = f"{url}/{self.kind}/{self.items}", max(1, self.items // self.page_size)
        with urlopen(f"{base}/data-collections?page=1&page_size={self.page_size}") as answer:  # noqa: S310 - loopback
            page = len(answer.read())
        process = Process(cores()[1], "alone", self.name, self.call, base, self.page_size, pages)
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
