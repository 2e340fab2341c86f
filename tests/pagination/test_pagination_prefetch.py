"""Claims about pages fetched ahead: in order, owned, bounded, and never beyond what is known to be there."""

import asyncio
import gc
from typing import Any

import pytest

from aegis_async.errors import ServerError
from tests.pagination.service import Service, bent


async def test_prefetch_keeps_that_many_pages_in_flight() -> None:
    """With prefetch=3 the consumer of page 1 finds pages 2, 3 and 4 under way, and no more."""
    service = Service(list(range(20)), 2)
    service.gates = {number: asyncio.Event() for number in (3, 4, 5)}

    async with service.paginator(prefetch=3).pages() as pages:
        await anext(pages)

        assert 3 == service.in_flight
        await anext(pages)
        assert 3 == service.in_flight


async def test_prefetch_never_goes_beyond_the_last_known_page() -> None:
    """No page beyond ``total_pages`` is asked for, however many may be ahead."""
    service = Service(list(range(6)), 2)

    await service.paginator(prefetch=50).collect()

    assert [1, 2, 3] == service.asked


async def test_a_listing_that_shrinks_ends_where_it_now_ends() -> None:
    """When pages vanish while they are fetched ahead, the walk ends at the new end and drops the rest."""
    service = Service(list(range(10)), 2)

    def shrink(number: int) -> None:
        if number == 2:
            del service.items[4:]

    service.before = shrink

    assert [0, 1, 2, 3] == await service.paginator(prefetch=4).collect()
    assert 0 == service.in_flight


async def test_a_listing_that_grows_is_followed_to_its_new_end() -> None:
    """Pages that come to be while the listing is read are read as well."""
    service = Service([0, 1, 2, 3], 2)
    service.before = lambda number: service.items.extend([4, 5, 6]) if number == 2 else None

    assert [0, 1, 2, 3, 4, 5, 6] == await service.paginator(prefetch=2).collect()


async def test_a_page_that_fails_fails_at_its_place() -> None:
    """An error on a page fetched ahead comes after the pages before it were given."""
    service = Service(list(range(10)), 2)

    def fail(number: int) -> None:
        if number == 3:
            raise ServerError("page 3 is broken", status=500)

    service.before = fail
    found: list[int] = []

    with pytest.raises(ServerError, match="page 3"):
        async for item in service.paginator(prefetch=4):
            found.append(item)  # noqa: PERF401 - kept up to the error

    assert [0, 1, 2, 3] == found
    assert 0 == service.in_flight


async def test_a_failed_page_that_nobody_reaches_is_no_noise() -> None:
    """The error of a page fetched ahead that the consumer never asks for is not reported by the loop."""
    service = Service(list(range(6)), 2)

    def fail(number: int) -> None:
        if number == 2:
            raise ServerError("page 2 is broken", status=500)

    service.before = fail
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))

    async with service.paginator(prefetch=1).pages() as pages:
        await anext(pages)
        await asyncio.sleep(0)
    gc.collect()

    assert [] == complaints


async def test_pages_ahead_say_that_nobody_waits_for_them() -> None:
    """The first page and those that come without prefetch are asked for now, the others ahead."""
    service = Service(list(range(10)), 2)

    await service.paginator(prefetch=2).collect()

    assert 4 == service.ahead


async def test_a_page_ahead_that_is_skipped_is_dropped() -> None:
    """When ``next_page`` skips, what was fetched ahead for the page between is dropped and the right one asked for."""
    service = Service(list(range(10)), 2)
    service.bend = bent(next_page=4)

    assert [0, 1, 2, 3, 6, 7, 8, 9] == await service.paginator(prefetch=2, on_drift="ignore").collect()
    assert [1, 2, 3, 4, 5] == service.asked


async def test_auto_begins_with_one_page_ahead() -> None:
    """``prefetch="auto"`` has one page in flight when the first has come."""
    service = Service(list(range(20)), 2)
    service.gates = {2: asyncio.Event()}

    async with service.paginator(prefetch="auto").pages() as pages:
        await anext(pages)

        assert 1 == service.in_flight


async def test_auto_goes_deeper_while_the_consumer_waits() -> None:
    """Each time the consumer comes too early the depth doubles, to eight at most."""
    service = Service(list(range(100)), 2)
    depths: list[int] = []

    async with service.paginator(prefetch="auto").pages() as pages:
        async for _ in pages:
            depths.append(pages._depth.pages)  # noqa: PERF401 - counted while it goes on

    assert [1, 2, 4, 8] == sorted(set(depths))
    assert sorted(depths) == depths


async def test_auto_stays_where_pages_are_ready_in_time() -> None:
    """A consumer that takes its time finds the next page there, and nothing more is fetched ahead."""
    service = Service(list(range(40)), 2)
    depths: list[int] = []

    async with service.paginator(prefetch="auto").pages() as pages:
        async for _ in pages:
            depths.append(service.in_flight)
            while service.in_flight:
                await asyncio.sleep(0)

    assert {1} == set(depths[:-1])


async def test_every_sweep_is_fetched_ahead() -> None:
    """The sweeps after the first keep pages in flight as well, and leave none."""
    service = Service(list(range(20)), 2)

    await service.paginator(prefetch=3, on_drift="repair", skim_size=2).collect()

    assert 10 == len(service.skimmed)
    assert 0 == service.in_flight


async def test_a_sweep_is_ended_with_its_iterator() -> None:
    """Closing in the middle of a later sweep leaves nothing in flight."""
    service = Service(list(range(6)), 2)
    service.before = lambda number: service.items.remove(0) if number == 2 and 0 in service.items else None
    late: list[Any] = []

    async with service.paginator(prefetch=2, on_drift="repair", skim_size=3).pages() as pages:
        async for page in pages:
            late.append(page)
            if page.meta.page_size == 3:
                break

    assert (1, 2, 3) == late[-1].items
    assert 0 == service.in_flight
