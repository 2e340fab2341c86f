"""Claims about the report: what an iteration proves, in words, and only what it proves."""

import pytest

from aegis_async import Cursor, ListingReport
from tests.pagination.service import Service


async def test_before_it_begins_nothing_is_known() -> None:
    """A listing that was not iterated has a report that says so."""
    assert (
        ListingReport(
            pages=0,
            items=0,
            repeats=0,
            total_first=None,
            total_last=None,
            sweeps=0,
            evidence="none",
            complete=False,
            reason="it was not read to its end",
        )
        == Service([1], 2).paginator().report
    )


async def test_a_steady_walk_is_counted() -> None:
    """One sweep whose totals are steady and equal to the ids is evidence, and no proof."""
    paginator = Service([1, 2, 3], 2).paginator()

    await paginator.collect()

    assert (
        ListingReport(
            pages=2,
            items=3,
            repeats=0,
            total_first=3,
            total_last=3,
            sweeps=1,
            evidence="counts",
            complete=False,
            reason="one sweep gave 3 items, as many as each page counted, but a deletion and an insertion between two "
            "pages can hide each other",
        )
        == paginator.report
    )


@pytest.mark.parametrize("items", [[], [1], [1, 2]])
async def test_one_page_is_a_snapshot_in_every_mode(items: list[int]) -> None:
    """One page that held everything is complete without a repair, an empty account as well."""
    paginator = Service(items, 2).paginator(on_drift="ignore")

    await paginator.collect()

    assert ("snapshot", True) == (paginator.report.evidence, paginator.report.complete)
    assert "one page held everything" == paginator.report.reason


async def test_a_walk_that_is_left_early_proves_nothing() -> None:
    """Items given are counted, not items read, and the end was not reached."""
    paginator = Service([1, 2, 3, 4], 3).paginator()

    await paginator.first()

    assert (1, 1, "none") == (paginator.report.pages, paginator.report.items, paginator.report.evidence)
    assert "it was not read to its end" == paginator.report.reason
    assert 1 == paginator.stats.items


async def test_pages_have_a_report_too() -> None:
    """A walk over pages counts each id once and proves the same as a walk over items."""
    paginator = Service([1, 1, 2], 2).paginator()

    async for _ in paginator.pages():
        pass

    assert (2, 2, 1) == (paginator.report.pages, paginator.report.items, paginator.report.repeats)
    assert "it moved while it was read: page 1: 1 of its items came before" == paginator.report.reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"start": 2}, "it was read from page 2 on"),
        ({"max_pages": 2}, "it was read with max_pages=2"),
        ({"start": 2, "max_pages": 1}, "it was read from page 2 on and with max_pages=1"),
        ({"key": None}, "it has no key to tell its items apart, so a repeat can hide a loss"),
    ],
)
async def test_a_part_is_never_complete(changes: dict[str, object], reason: str) -> None:
    """What was not asked for is not claimed, and the reason names it."""
    paginator = Service(list(range(6)), 2).paginator(**changes)

    await paginator.collect()

    assert ("none", False, reason) == (
        paginator.report.evidence,
        paginator.report.complete,
        paginator.report.reason,
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"start": 2}, "sweeps 1 and 2 gave the same 4 ids, but it was read from page 2 on"),
        ({"max_pages": 2}, "sweeps 1 and 2 gave the same 4 ids, but it was read with max_pages=2"),
        ({"max_pages": 9}, "sweeps 1 and 2 gave the same 6 ids, but it was read with max_pages=9"),
    ],
)
async def test_a_part_can_agree(changes: dict[str, object], reason: str) -> None:
    """A repair reads a part again page by page as before, and does not call it the whole."""
    service = Service(list(range(6)), 2)
    paginator = service.paginator(on_drift="repair", **changes)

    await paginator.collect()

    assert ("agreed", False, reason) == (
        paginator.report.evidence,
        paginator.report.complete,
        paginator.report.reason,
    )
    assert {2} == {place.size for place in service.skimmed}


async def test_a_bounded_snapshot_is_not_called_complete() -> None:
    """With ``max_pages`` nothing is complete, though one page held everything."""
    paginator = Service([1], 2).paginator(max_pages=1)

    await paginator.collect()

    assert ("snapshot", False) == (paginator.report.evidence, paginator.report.complete)
    assert "one page held everything, but it was read with max_pages=1" == paginator.report.reason


async def test_a_resumed_listing_is_never_complete() -> None:
    """What an earlier iteration gave is not known, so nothing is claimed."""
    start = Cursor(page=1, offset=1, page_size=5, ids=(1,))
    paginator = Service([1, 2, 3], 5).paginator(on_drift="repair", start=start)

    assert [2, 3] == await paginator.collect()
    assert ("agreed", False) == (paginator.report.evidence, paginator.report.complete)
    assert "sweeps 1 and 2 gave the same 3 ids, but it was read from item 2 of page 1 on" == paginator.report.reason
