"""Claims about walking a listing: complete, in order, and never past a contradiction."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_async._pagination import PaginationStats
from aegis_async.errors import InvalidArgumentError, PaginationError
from aegis_async.models import Page
from tests.pagination.service import Service, bent


@pytest.mark.parametrize("prefetch", [0, 1, 3, 50])
@given(count=st.integers(0, 60), page_size=st.integers(1, 13))
def test_every_item_comes_once_and_in_order(prefetch: int, count: int, page_size: int) -> None:
    """Whatever the sizes and however many pages are fetched ahead, the listing comes whole and in order."""
    service = Service(list(range(count)), page_size)

    async def walk() -> list[int]:
        return [item async for item in service.paginator(prefetch=prefetch)]

    assert list(range(count)) == asyncio.run(walk())
    assert sorted(service.asked) == list(range(1, max(1, -(-count // page_size)) + 1))


async def test_an_empty_page_does_not_end_the_listing() -> None:
    """A page that a filter left empty is passed over, because only ``next_page`` ends a listing."""
    service = Service(list(range(6)), 2)
    service.bend = lambda page: Page((), page.meta) if page.meta.current_page == 2 else page

    assert [0, 1, 4, 5] == await service.paginator().collect()


async def test_next_page_is_followed_not_counted() -> None:
    """The page that ``next_page`` names is asked for, also when it is not the one after."""
    service = Service(list(range(8)), 2)
    service.bend = bent(next_page=4)

    assert [0, 1, 2, 3, 6, 7] == await service.paginator(prefetch=2).collect()
    assert 4 in service.asked


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"next_page": None}, "has_next is True, but next_page is None"),
        ({"has_next": False}, "has_next is False, but next_page is 3"),
        ({"next_page": 2}, "next_page 2 does not advance"),
        ({"next_page": 1}, "next_page 1 does not advance"),
        ({"next_page": 5}, "next_page 5 lies beyond total_pages 4"),
        ({"total_pages": 2}, "next_page 3 lies beyond total_pages 2"),
        ({"current_page": 1, "next_page": 2}, "page 1 came"),
    ],
)
@pytest.mark.parametrize("prefetch", [0, 2])
async def test_a_meta_that_contradicts_itself_is_an_error(changes: dict[str, Any], words: str, prefetch: int) -> None:
    """A page whose meta cannot be true ends the walk with the listing, the page and the reason in the text."""
    service = Service(list(range(8)), 2)
    service.bend = bent(**changes)
    found: list[int] = []

    with pytest.raises(PaginationError, match=f"^/numbers, page 2: {words}"):
        async for item in service.paginator(prefetch=prefetch):
            found.append(item)  # noqa: PERF401 - kept up to the error

    assert [0, 1] == found
    assert 0 == service.in_flight


async def test_a_last_page_of_another_number_is_an_error() -> None:
    """A last page that calls itself another than was asked for is refused, since its items may be others."""
    service = Service(list(range(4)), 2)
    service.bend = bent(current_page=1)

    with pytest.raises(PaginationError, match="page 1 came"):
        await service.paginator().collect()


async def test_a_page_beyond_the_end_ends_the_listing() -> None:
    """Starting after the last page gives nothing, and no error."""
    service = Service(list(range(4)), 2)

    assert [] == await service.paginator(start=9).collect()


async def test_an_item_that_comes_again_is_not_given_again() -> None:
    """An insert before the reader pushes an item onto the next page, and it is given once."""
    service = Service([1, 2, 3, 4], 2)
    service.before = lambda number: service.items.insert(0, 0) if number == 2 else None
    paginator = service.paginator()

    assert [1, 2, 3, 4] == await paginator.collect()
    assert PaginationStats(pages=3, items=4, repeats=1, total_items=5) == paginator.stats


async def test_without_a_key_repeats_are_given() -> None:
    """A listing without a key takes each item as its own."""
    service = Service([1, 1, 2, 2], 2)
    paginator = service.paginator(key=None)

    assert [1, 1, 2, 2] == await paginator.collect()
    assert 0 == paginator.stats.repeats


async def test_pages_are_given_as_sent() -> None:
    """``pages()`` leaves repeats in, with the page's own meta."""
    service = Service([1, 1, 2], 2)

    pages = [page async for page in service.paginator().pages()]

    assert [(1, 1), (2,)] == [page.items for page in pages]
    assert [1, 2] == [page.meta.current_page for page in pages]


async def test_first_asks_for_one_page() -> None:
    """``first()`` gives the first item after one request."""
    service = Service([5, 6, 7], 2)

    assert 5 == await service.paginator().first()
    assert [1] == service.asked


async def test_first_of_an_empty_listing_is_none() -> None:
    """``first()`` gives None where there is nothing."""
    assert await Service([], 2).paginator().first() is None


async def test_take_asks_for_no_page_that_it_does_not_need() -> None:
    """``take(n)`` gives the first n items and stops asking there."""
    service = Service(list(range(10)), 2)

    assert [0, 1, 2, 3] == await service.paginator().take(4)
    assert [1, 2] == service.asked


async def test_collecting_nothing_asks_for_nothing() -> None:
    """A limit of zero gives an empty list without a request."""
    service = Service([1], 2)

    assert [] == await service.paginator().collect(limit=0)
    assert [] == service.asked


@pytest.mark.parametrize("limit", [-1, True, 1.0])
async def test_a_limit_that_is_none_is_refused(limit: Any) -> None:
    """A negative limit, a bool and a float are no limits."""
    with pytest.raises(InvalidArgumentError, match="^limit must be"):
        await Service([1], 2).paginator().collect(limit=limit)


@pytest.mark.parametrize("prefetch", [0, 2, 9])
async def test_max_pages_bounds_what_is_read(prefetch: int) -> None:
    """No page beyond ``max_pages`` is asked for, ahead of the consumer or not."""
    service = Service(list(range(20)), 2)

    assert [0, 1, 2, 3, 4, 5] == await service.paginator(max_pages=3, prefetch=prefetch).collect()
    assert [1, 2, 3] == service.asked


async def test_each_iteration_walks_anew() -> None:
    """A paginator can be walked twice, and its stats speak of the latest walk."""
    paginator = Service([1, 2, 3], 2).paginator()

    assert [1, 2, 3] == await paginator.collect()
    assert [1] == await paginator.take(1)
    assert 1 == paginator.stats.pages


async def test_its_repr_names_the_listing() -> None:
    """A paginator shows which listing it walks."""
    assert "<Paginator of /numbers>" == repr(Service([], 1).paginator())


async def test_an_iterator_is_its_own_iterator() -> None:
    """``aiter`` of a running iterator gives itself, so that it can be passed on."""
    paginator = Service([1], 1).paginator()
    items, pages = aiter(paginator), paginator.pages()

    assert aiter(items) is items
    assert aiter(pages) is pages
