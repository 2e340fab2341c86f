"""Claims about a listing that moves while it is read: what shows it, and what is done about it."""

import logging
from typing import Any

import pytest
from msgspec.structs import replace

from aegis_async import ListingReport
from aegis_async.errors import PaginationError
from aegis_async.models import Page
from tests.pagination.service import Service, bent


def deleting(service: Service, *items: int, before: int = 2) -> None:
    """Let ``items`` vanish right before a page is cut for the first time."""
    pending = list(items)

    def vanish(number: int) -> None:
        if number == before:
            while pending:
                service.items.remove(pending.pop())

    service.before = vanish


def inserting(service: Service, item: int, at: int = 0, before: int = 2) -> None:
    """Let ``item`` appear right before a page is cut for the first time."""
    pending = [item]

    def appear(number: int) -> None:
        if number == before and pending:
            service.items.insert(at, pending.pop())

    service.before = appear


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Give what was logged as a warning."""
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


async def test_a_deletion_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """A total that falls is logged once a listing, however long it goes on, and the walk goes on."""
    service = Service(list(range(10)), 2)
    service.before = lambda number: service.items.remove(service.items[0]) if number in {2, 3} else None

    given = await service.paginator().collect()

    assert [0, 1, 3, 4, 6, 7, 8, 9] == given
    sign = "page 2: total_items went from 10 to 9"
    mended = "items may be missing, which on_drift='repair' mends"
    assert [f"/numbers moved while it was read: {sign}; {mended}"] == warnings(caplog)


async def test_each_iteration_warns_for_itself(caplog: pytest.LogCaptureFixture) -> None:
    """The next walk over the same listing has a warning of its own."""
    service = Service(list(range(6)), 2)
    service.before = lambda number: service.items.append(len(service.items)) if number == 2 else None
    paginator = service.paginator()

    await paginator.collect()
    await paginator.collect()

    assert 2 == len(warnings(caplog))


async def test_ignore_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """With ``on_drift="ignore"`` nothing is logged, and the report still knows."""
    service = Service(list(range(6)), 2)
    deleting(service, 0)
    paginator = service.paginator(on_drift="ignore")

    assert [0, 1, 3, 4, 5] == await paginator.collect()
    assert [] == warnings(caplog)
    assert "it moved while it was read: page 2: total_items went from 6 to 5" == paginator.report.reason


async def test_raise_ends_at_the_first_sign() -> None:
    """With ``on_drift="raise"`` the page that shows it is not given, and the error carries the report."""
    service = Service(list(range(8)), 2)
    deleting(service, 0, before=3)
    found: list[int] = []

    with pytest.raises(PaginationError, match="^/numbers moved while it was read: page 3: total_items") as caught:
        async for item in service.paginator(on_drift="raise"):
            found.append(item)  # noqa: PERF401 - kept up to the error

    assert [0, 1, 2, 3] == found
    assert (
        ListingReport(
            pages=3,
            items=4,
            repeats=0,
            total_first=8,
            total_last=7,
            sweeps=1,
            evidence="none",
            complete=False,
            reason="it was not read to its end; it moved while it was read: page 3: total_items went from 8 to 7",
        )
        == caught.value.report
    )


@pytest.mark.parametrize(
    ("changes", "sign"),
    [
        ({"total_items": 9}, "page 2: total_items went from 8 to 9"),
        ({"total_pages": 5}, "page 2: total_pages went from 4 to 5"),
        ({"items_on_page": 3}, "page 2: items_on_page is 3, but 2 came"),
        ({"next_page": 4}, "page 2: next_page skips to 4"),
    ],
)
async def test_signs_of_a_page(changes: dict[str, Any], sign: str) -> None:
    """A total that changes, a number of items that is not so, and a page that is skipped each show it."""
    service = Service(list(range(8)), 2)
    service.bend = bent(**changes)

    with pytest.raises(PaginationError, match=sign):
        await service.paginator(on_drift="raise").collect()


async def test_an_id_that_comes_again_is_a_sign() -> None:
    """An insertion early and a deletion late leave the total as it was, and the repeated id shows it."""
    service = Service(list(range(8)), 2)

    def swap(number: int) -> None:
        if number == 2:
            service.items.insert(0, 9)
            service.items.remove(7)

    service.before = swap

    with pytest.raises(PaginationError, match="page 2: 1 of its items came before"):
        await service.paginator(on_drift="raise").collect()


async def test_a_sum_that_is_not_right_is_a_sign() -> None:
    """Fewer items than the service counts show a loss that no single page did."""
    service = Service(list(range(6)), 2)
    emptied = bent(items_on_page=0)
    service.bend = lambda page: Page(page.items if page.meta.current_page != 2 else (), emptied(page).meta)

    with pytest.raises(PaginationError, match="/numbers moved while it was read: 4 items came where the service count"):
        await service.paginator(on_drift="raise").collect()


async def test_a_contradiction_carries_the_report() -> None:
    """A meta that cannot be true says what was read until then as well."""
    service = Service(list(range(8)), 2)
    service.bend = bent(next_page=1)

    with pytest.raises(PaginationError, match="does not advance") as caught:
        await service.paginator().collect()

    assert caught.value.report is not None
    assert (1, 2) == (caught.value.report.pages, caught.value.report.items)


async def test_a_repair_finds_what_a_deletion_hid() -> None:
    """An item that was shifted onto a page already read comes last, from a later sweep."""
    service = Service(list(range(6)), 2)
    deleting(service, 0)
    paginator = service.paginator(on_drift="repair", skim_size=3)

    assert [0, 1, 3, 4, 5, 2] == await paginator.collect()
    assert (3, "agreed", True) == (paginator.report.sweeps, paginator.report.evidence, paginator.report.complete)
    assert "sweeps 2 and 3 gave the same 5 ids" == paginator.report.reason


async def test_a_repair_looks_again_without_any_sign() -> None:
    """A deletion and an insertion that hide each other are found all the same."""
    service = Service(list(range(6)), 2)

    def swap(number: int) -> None:
        if number == 2 and 0 in service.items:
            service.items.remove(0)
            service.items.append(9)

    service.before = swap

    assert [0, 1, 3, 4, 5, 9, 2] == await service.paginator(on_drift="repair", skim_size=3).collect()


async def test_one_page_that_holds_everything_needs_no_second_look() -> None:
    """A snapshot is a proof by itself: one request, whatever the mode."""
    service = Service([1, 2, 3], 5)
    paginator = service.paginator(on_drift="repair")

    assert [1, 2, 3] == await paginator.collect()
    assert [1] == service.asked
    assert ("snapshot", True) == (paginator.report.evidence, paginator.report.complete)


async def test_a_large_page_of_a_later_sweep_is_a_snapshot_too() -> None:
    """A later sweep that needs one page only ends the search, though it gave other ids than the one before."""
    service = Service(list(range(6)), 2)
    deleting(service, 0)
    paginator = service.paginator(on_drift="repair", skim_size=100)

    assert [0, 1, 3, 4, 5, 2] == await paginator.collect()
    assert (2, "snapshot", True) == (paginator.report.sweeps, paginator.report.evidence, paginator.report.complete)


async def test_later_sweeps_ask_for_ids_on_large_pages() -> None:
    """The sweeps after the first are read as ids only, with pages of their own size."""
    service = Service(list(range(10)), 2)

    await service.paginator(on_drift="repair", skim_size=5).collect()

    assert [(1, 5), (2, 5)] == service.skimmed


async def test_a_listing_that_never_stands_still_ends_at_the_bound(caplog: pytest.LogCaptureFixture) -> None:
    """After so many sweeps the search ends, incomplete, with a warning and its reason."""
    service = Service(list(range(6)), 2)
    service.before = lambda number: service.items.append(len(service.items)) if number == 1 else None
    paginator = service.paginator(on_drift="repair", skim_size=2, max_sweeps=4)

    assert list(range(10)) == await paginator.collect()
    assert (4, "none", False) == (paginator.report.sweeps, paginator.report.evidence, paginator.report.complete)
    reason = "no two of 4 sweeps in a row gave the same ids, as many as the service counted"
    assert reason == paginator.report.reason
    assert [f"/numbers may not be complete: {reason}"] == warnings(caplog)


async def test_two_sweeps_that_agree_against_the_count_prove_nothing() -> None:
    """A service that counts more than it ever shows is not called complete, however often it is read."""
    service = Service(list(range(6)), 2)
    service.bend = lambda page: Page(page.items, replace(page.meta, total_items=7))
    paginator = service.paginator(on_drift="repair", skim_size=2)

    assert list(range(6)) == await paginator.collect()
    assert ("none", False, 5) == (paginator.report.evidence, paginator.report.complete, paginator.report.sweeps)


@pytest.mark.parametrize("prefetch", [0, 2, "auto"])
async def test_late_finds_come_as_pages_too(prefetch: Any) -> None:
    """``pages()`` gives the page of the later sweep that holds a late find, as it was sent."""
    service = Service(list(range(6)), 2)
    deleting(service, 0)

    pages = [page async for page in service.paginator(on_drift="repair", skim_size=3, prefetch=prefetch).pages()]

    assert (1, 2, 3) == pages[-1].items
    assert 3 == pages[-1].meta.page_size
    assert 0 == service.in_flight
