"""Claims about going on where another iteration stood, in this process or another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_async import Cursor
from aegis_async.errors import InvalidArgumentError
from tests.pagination.service import Service


@given(
    cursor=st.builds(
        Cursor,
        page=st.integers(1, 10**6),
        offset=st.integers(0, 10**4),
        page_size=st.integers(1, 10**4),
        shared=st.none() | st.booleans(),
        ids=st.lists(st.integers(-(2**63), 2**63 - 1) | st.text()).map(tuple),
    )
)
def test_a_cursor_survives_json(cursor: Cursor) -> None:
    """What is written as JSON comes back equal."""
    assert cursor == Cursor.from_json(cursor.to_json())


@pytest.mark.parametrize("text", ["", "7", '{"page": "x"}', b"\xff", '{"ids": [1.5]}'])
def test_what_is_no_cursor_is_refused(text: str | bytes) -> None:
    """Anything else is an InvalidArgumentError that names it."""
    with pytest.raises(InvalidArgumentError, match="^cursor cannot be read"):
        Cursor.from_json(text)


@pytest.mark.parametrize("prefetch", [0, 3])
@pytest.mark.parametrize("taken", range(11))
async def test_two_halves_are_the_whole(taken: int, prefetch: int) -> None:
    """Wherever an iteration is left, the cursor gives the rest, and nothing twice."""
    service = Service(list(range(10)), 3)
    paginator = service.paginator(prefetch=prefetch)
    before = await paginator.take(taken)

    cursor = Cursor.from_json(paginator.cursor.to_json())
    after = await service.paginator(start=cursor, prefetch=prefetch).collect()

    assert list(range(10)) == before + after


async def test_a_cursor_names_the_place_behind_the_last_item() -> None:
    """It holds the page, how far it was given, and the ids that came from it."""
    paginator = Service(list(range(10)), 4).paginator()

    assert Cursor(page=1, page_size=4) == paginator.cursor
    await paginator.take(6)
    assert Cursor(page=2, offset=2, page_size=4, ids=(4, 5)) == paginator.cursor
    await paginator.collect()
    assert Cursor(page=3, offset=2, page_size=4, ids=(8, 9)) == paginator.cursor


async def test_what_came_since_is_given_at_the_end() -> None:
    """A cursor from the end gives what was created behind it since."""
    service = Service(list(range(5)), 3)
    paginator = service.paginator()
    await paginator.collect()

    service.items.extend([5, 6, 7])

    assert [5, 6, 7] == await service.paginator(start=paginator.cursor).collect()


async def test_an_item_that_was_shifted_is_not_given_again() -> None:
    """Items that an insertion pushed from the cursor's page onto the next are known by their ids."""
    service = Service(list(range(8)), 3)
    paginator = service.paginator()
    before = await paginator.take(6)

    service.items.insert(0, 99)
    after = await service.paginator(start=paginator.cursor, on_drift="ignore").collect()

    assert [0, 1, 2, 3, 4, 5] == before
    assert [2, 6, 7] == after  # 2 stood on an earlier page, which no cursor holds


async def test_resuming_is_no_sign_of_movement() -> None:
    """The items that were given before are no repeats."""
    service = Service(list(range(7)), 3)
    paginator = service.paginator()
    await paginator.take(4)

    resumed = service.paginator(start=paginator.cursor, on_drift="raise")

    assert [4, 5, 6] == await resumed.collect()
    assert 0 == resumed.report.repeats


async def test_pages_go_on_with_the_first_that_holds_something_new() -> None:
    """``pages()`` counts a page as given; one that holds nothing new is not given again."""
    service = Service(list(range(6)), 2)
    paginator = service.paginator()
    async with paginator.pages() as pages:
        await anext(pages)

    rest = [page.items async for page in service.paginator(start=paginator.cursor).pages()]

    assert [(2, 3), (4, 5)] == rest


async def test_without_a_key_the_offset_tells() -> None:
    """Items that cannot be told apart are counted."""
    service = Service([7, 7, 7, 8, 8], 2)
    paginator = service.paginator(key=None)
    await paginator.take(3)

    assert Cursor(page=2, offset=1, page_size=2) == paginator.cursor
    assert [8, 8] == await service.paginator(key=None, start=paginator.cursor).collect()


async def test_keys_that_are_no_json_are_left_out() -> None:
    """Keys that are neither integers nor text are not kept, and the offset tells."""
    service = Service(list(range(5)), 2)
    paginator = service.paginator(key=lambda item: (item,))
    await paginator.take(3)

    assert Cursor(page=2, offset=1, page_size=2) == paginator.cursor
    assert [3, 4] == await service.paginator(key=lambda item: (item,), start=paginator.cursor).collect()


async def test_a_cursor_passes_over_repeats() -> None:
    """Items that were not given because they came before count as passed over."""
    service = Service([1, 2, 1, 3, 4], 2)
    paginator = service.paginator(on_drift="ignore")
    await paginator.take(2)
    async with aiter(paginator) as items:
        assert [1, 2, 3] == [await anext(items) for _ in range(3)]

    assert Cursor(page=2, offset=2, page_size=2, ids=(1, 3)) == paginator.cursor


async def test_late_finds_do_not_move_the_cursor() -> None:
    """What a later sweep finds stands where the first one ended."""
    service = Service(list(range(6)), 2)
    service.before = lambda number: service.items.remove(0) if number == 2 and 0 in service.items else None
    paginator = service.paginator(on_drift="repair", skim_size=3)

    async with aiter(paginator) as items:
        assert [0, 1, 3, 4, 5, 2] == [await anext(items) for _ in range(6)]

        assert Cursor(page=3, offset=1, page_size=2, ids=(5,)) == paginator.cursor
