"""Claims about pages that grow: quickly decoded, aligned, and nothing read twice or skipped."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_async import Cursor
from aegis_async._pagination import SMALLEST, Place
from aegis_async._pagination._sizes import Sizes
from aegis_async.errors import PaginationError
from aegis_async.models import Page
from tests.pagination.service import Service

START = Cursor(page_size=SMALLEST)


@given(
    count=st.integers(0, 2_000),
    prefetch=st.sampled_from([0, 1, 3, "auto"]),
    costs=st.lists(st.sampled_from([0.0, 0.004, 0.01, 0.016, 0.1]), min_size=1, max_size=30),
)
def test_no_item_is_read_twice_or_skipped(count: int, prefetch: int, costs: list[float]) -> None:
    """However the sizes change, the pages that were given stand side by side, from the first item to the last."""
    service = Service(list(range(count)), SMALLEST)
    service.seconds = lambda _: costs[len(service.asked) % len(costs)]

    async def walk() -> list[Page[int]]:
        paginator = service.paginator(start=START, grows=True, prefetch=prefetch, on_drift="raise")
        return [page async for page in paginator.pages()]

    pages = asyncio.run(walk())

    assert list(range(count)) == [item for page in pages for item in page.items]
    assert len(pages) == len(service.asked)


async def test_pages_double_while_they_are_quickly_decoded() -> None:
    """The first page is small, and each larger one begins where a page of its size does."""
    service = Service(list(range(4_000)), SMALLEST)

    await service.paginator(start=START, grows=True).collect()

    assert [(1, 25), (2, 25), (2, 50), (2, 100), (2, 200), (2, 400), (2, 800), (2, 1600), (2, 3200)] == service.places


async def test_pages_stop_growing_well_under_the_bound() -> None:
    """A page that takes 5 ms or more does not double, since twice that would come near the bound."""
    service = Service(list(range(1_000)), SMALLEST)
    service.seconds = lambda place: place.size * 0.00004

    await service.paginator(start=START, grows=True).collect()

    assert {25, 50, 100, 200} == {place.size for place in service.places}


async def test_pages_shrink_when_they_become_slow() -> None:
    """Items that turn out heavier halve the page, at a place that both sizes have."""
    service = Service(list(range(2_000)), SMALLEST)
    service.seconds = lambda place: 0.03 if place.offset >= 400 else 0.0

    await service.paginator(start=START, grows=True).collect()

    assert [(1, 25), (2, 25), (2, 50), (2, 100), (2, 200), (2, 400), (5, 200), (11, 100), (23, 50), (47, 25)] == (
        service.places[:10]
    )
    assert {25} == {place.size for place in service.places[10:]}


async def test_the_smallest_page_does_not_shrink() -> None:
    """Nor does one of an odd size, which has no half that begins where it does."""
    sizes = Sizes(25)
    sizes.took(25, 1.0)

    assert Place(7, 25) == sizes.fit(Place(7, 25))


async def test_pages_never_grow_beyond_what_the_service_takes() -> None:
    """10000 items on a page are the most."""
    sizes = Sizes(6400)
    sizes.took(6400, 0.0)

    assert Place(1, 6400) == sizes.fit(Place(1, 6400))


async def test_pages_of_a_fixed_size_are_not_timed() -> None:
    """Without ``"auto"`` the size stays what it is."""
    service = Service(list(range(100)), 10)

    await service.paginator().collect()

    assert {10} == {place.size for place in service.places}


async def test_a_service_that_keeps_to_a_size_of_its_own_is_refused() -> None:
    """Numbers that count in pages of another size would skip or repeat, so it is an error."""
    service = Service(list(range(200)), SMALLEST)
    cut = service.cut
    service.bend = lambda page: cut(Place(page.meta.current_page, 25)) if page.meta.page_size == 50 else page

    with pytest.raises(PaginationError, match="page 2: page_size 25 came where 50 was asked for"):
        await service.paginator(start=START, grows=True).collect()


async def test_a_cursor_goes_on_at_the_size_that_was_reached() -> None:
    """The place of a grown page is known by its number and size."""
    service = Service(list(range(1_000)), SMALLEST)
    paginator = service.paginator(start=START, grows=True)
    before = await paginator.take(150)

    after = await service.paginator(start=paginator.cursor, grows=True).collect()

    assert Cursor(page=2, offset=50, page_size=100, ids=tuple(range(100, 150))) == paginator.cursor
    assert list(range(1_000)) == before + after
