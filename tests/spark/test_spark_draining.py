"""Claims about the way from an async generator to a plain one: order, errors, and that nothing is left."""

import asyncio
import threading
from collections.abc import AsyncGenerator

import pytest

from aegis_async._spark._draining import drained


class Source:
    """An async generator that notes how it ends."""

    def __init__(self, items: int, error: Exception | None = None) -> None:
        self._items = items
        self._error = error
        self.given = 0
        self.closed = threading.Event()

    async def __call__(self) -> AsyncGenerator[int, None]:
        try:
            for item in range(self._items):
                await asyncio.sleep(0)
                self.given += 1
                yield item
            if self._error is not None:
                raise self._error
        finally:
            self.closed.set()


def threads() -> set[str]:
    """Give the names of the threads that drain something."""
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("aegis-spark")}


def test_everything_comes_in_order() -> None:
    """All items are given, and no thread is left."""
    assert list(range(100)) == list(drained(Source(100)))
    assert set() == threads()


def test_an_error_comes_after_what_came_before_it() -> None:
    """The generator's own error reaches the caller, in its place."""
    source, got = Source(2, ValueError("broken")), list[int]()

    with pytest.raises(ValueError, match="broken"):
        got.extend(drained(source))

    assert [0, 1] == got
    assert set() == threads()


def test_leaving_early_closes_the_generator() -> None:
    """A caller who has enough ends thread, loop and generator by closing."""
    source = Source(1_000_000)
    items = drained(source)

    assert 0 == next(items)
    items.close()

    assert source.closed.is_set()
    assert set() == threads()


def test_little_is_made_ahead() -> None:
    """Behind what the caller has, one item waits and one more is made, however many there are."""
    source = Source(1_000_000)
    items = drained(source)

    assert list(range(10)) == [next(items) for _ in range(10)]

    assert source.given <= 12
    items.close()


def test_a_wait_for_the_next_item_is_cancelled() -> None:
    """What is still being waited for does not hold up a caller who leaves."""
    reached, ended = threading.Event(), threading.Event()

    async def stuck() -> AsyncGenerator[int, None]:
        yield 1
        try:
            reached.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    items = drained(stuck)
    assert 1 == next(items)
    assert reached.wait(10)

    items.close()

    assert ended.is_set()
