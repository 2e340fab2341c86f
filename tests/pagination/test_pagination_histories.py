"""Claims over thousands of histories: what a repaired listing gives, and that it never claims more than it has."""

import asyncio
import logging
from random import Random
from typing import Final

import pytest

from aegis_async._pagination import OnDrift, Prefetch
from benchmarks.drift import Answer, History, Moving, walked

NEVER: Final = float("inf")
HISTORIES: Final = 10_000
PREFETCHED: Final = 1_000


@pytest.fixture(autouse=True)
def no_chatter(caplog: pytest.LogCaptureFixture) -> None:
    """Thousands of warnings say nothing that is not asserted."""
    caplog.set_level(logging.ERROR, "aegis_async")


async def history_of(
    service: Moving, page_size: int, skim_size: int, on_drift: OnDrift = "repair", prefetch: Prefetch = 0
) -> History:
    """Walk a listing, and let the loop turn."""
    await asyncio.sleep(0)
    return await walked(service, page_size, skim_size, on_drift, prefetch)


def moving(seed: int) -> tuple[Moving, int, int]:
    """Give a small listing that moves more or less, and settles sooner, later or never, and two page sizes."""
    random = Random(seed)
    service = Moving(
        random,
        list(range(random.randrange(13))),
        rate=random.choice((0.0, 0.05, 0.2, 0.5, 1.5)),
        settles=random.choice((0, 3, 6, 12, NEVER)),
        keeps=True,
    )
    return service, random.randrange(1, 5), random.randrange(1, 7)


def sweeps(answers: list[Answer]) -> list[list[Answer]]:
    """Give the answers of each walk: the next one begins with another first page."""
    starts = [index for index, answer in enumerate(answers) if answer.place.number == 1]
    return [answers[start:end] for start, end in zip(starts, [*starts[1:], len(answers)], strict=True)]


def ids(sweep: list[Answer]) -> set[int]:
    """Give the ids that a walk showed."""
    return {item for answer in sweep for item in answer.items}


def proof(answers: list[Answer]) -> str:
    """Judge from what was sent, and from nothing else, what it proves."""
    walks = sweeps(answers)
    last = walks[-1]
    if len(ids(last)) != last[0].total:
        return "none"
    if len(walks) > 1 and ids(walks[-2]) == ids(last):
        return "agreed"
    return "snapshot" if len(last) == 1 else "none"


def judge(history: History, service: Moving) -> None:
    """Hold one history against every claim."""
    given, report, answers = history.given, history.report, service.answers
    walks = sweeps(answers)
    assert len(set(given)) == len(given)
    assert set(given) <= service.ever
    assert set().union(*map(ids, walks)) == set(given)
    assert proof(answers) == report.evidence
    assert report.complete == (report.evidence != "none")
    assert (len(answers), len(given), len(walks)) == (report.pages, report.items, report.sweeps)
    assert (answers[0].total, answers[-1].total) == (report.total_first, report.total_last)
    assert report.complete or report.sweeps == 5
    if report.complete:
        # More than the issue asks: what was there when the last sweep began has been given.
        assert walks[-1][0].there <= set(given)
        assert not history.missed
    if service.settles <= sum(map(len, walks[:-2])) or service.rate == 0:
        assert report.complete


async def test_ten_thousand_histories_lose_nothing_that_is_proven() -> None:
    """Whatever is created and deleted meanwhile, each id comes once, nothing is invented, and a claim has its proof."""
    counts = dict.fromkeys(("none", "snapshot", "agreed"), 0)

    for seed in range(HISTORIES):
        service, page_size, skim_size = moving(seed)
        history = await history_of(service, page_size, skim_size)
        judge(history, service)
        counts[history.report.evidence] += 1

    assert all(counts.values())


async def test_a_listing_that_stands_still_for_two_sweeps_is_complete() -> None:
    """A listing that settles while the bound leaves two sweeps is complete, with all that is then there."""
    settled = 0

    for seed in range(2_000):
        service, page_size, skim_size = moving(seed)
        history = await history_of(service, page_size, skim_size)
        walks = sweeps(service.answers)
        if service.settles <= sum(map(len, walks[:3])):  # of the five, so that two are left
            settled += 1
            assert history.report.complete
            assert not history.missed
        if service.settles <= sum(map(len, walks[:-1])):
            assert set(service.items) <= set(history.given) or not history.report.complete

    assert settled > 500


async def test_pages_fetched_ahead_repair_as_well() -> None:
    """With pages in flight ahead, nothing that is proven is lost either."""
    for seed in range(PREFETCHED):
        service, page_size, skim_size = moving(seed)
        history = await history_of(service, page_size, skim_size, prefetch="auto")

        assert len(set(history.given)) == len(history.given)
        assert set(history.given) <= service.ever
        assert not (history.report.complete and history.missed)


async def test_a_listing_that_stands_still_never_looks_as_if_it_moved() -> None:
    """Without a move there is no false alarm, whatever the sizes."""
    for seed in range(500):
        random = Random(seed)
        service = Moving(random, list(range(random.randrange(20))), rate=0.0)

        history = await history_of(service, random.randrange(1, 7), 5, on_drift="raise")

        assert sorted(service.items) == sorted(history.given)
        assert history.report.evidence in {"counts", "snapshot"}


async def test_one_sweep_can_lose_an_item_without_a_sign(caplog: pytest.LogCaptureFixture) -> None:
    """A deletion and an insertion between the same two pages leave totals as they were, so counts prove nothing."""
    service = Moving(Random(0), list(range(6)), rate=0.0)
    service.between = lambda requests: service.swap() if requests == 1 else None

    caplog.set_level(logging.DEBUG, "aegis_async")
    history = await history_of(service, 2, 100, on_drift="warn")

    assert "counts" == history.report.evidence
    assert not history.report.complete
    assert {2} == history.missed
    assert [] == caplog.records


def test_histories_run_in_a_loop_of_their_own() -> None:
    """The benchmark's way of walking, one loop for each history, gives the same."""
    service, page_size, skim_size = moving(7)
    again, _, _ = moving(7)

    assert asyncio.run(walked(service, page_size, skim_size)) == asyncio.run(walked(again, page_size, skim_size))
