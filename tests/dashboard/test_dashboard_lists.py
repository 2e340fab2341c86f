"""The lists and the drill-down: which runs fell, in what order, and how much of it an answer holds."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_async.dashboard._details import MOST_RUNS, collection_detail, evaluation_row
from aegis_async.dashboard._facts import facts_of
from aegis_async.dashboard._lists import PAGE_SIZE, collections_page, pages, runs_below
from aegis_async.dashboard._questions import page_of
from aegis_async.dashboard._spans import Period
from aegis_async.errors import InvalidArgumentError
from aegis_async.models import DataCollection, Evaluation
from tests.dashboard.serving import BEGIN, collection_facts, documents, run_facts

VERDICTS = {"+": True, "-": False, "?": None}


def fallen(verdicts: str) -> list[bool]:
    """Give for each failed run whether it fell, latest first; the verdicts are oldest first."""
    runs = [run_facts(i, passed=VERDICTS[verdict]) for i, verdict in enumerate(verdicts)]
    return [row.fell for row in runs_below([collection_facts(1, runs)]).items]


def test_a_run_fell_when_the_judged_one_before_it_had_passed() -> None:
    """Unfinished runs in between are no verdict; a second failure in a row is no fall."""
    assert [True] == fallen("+-")
    assert [True] == fallen("+?-")
    assert [False, True] == fallen("+--")
    assert [False] == fallen("-")


@given(verdicts=st.text("+-?", max_size=30))
def test_the_list_holds_every_failed_run_and_no_other(verdicts: str) -> None:
    """Failed means judged and not passed."""
    assert verdicts.count("-") == len(fallen(verdicts))


def test_pages_follow_each_other_without_gap_or_repeat() -> None:
    """The latest come first, twenty-five on a page, and the total counts all of them."""
    book = [collection_facts(i, [run_facts(i, passed=False)]) for i in range(1, 61)]

    found = [runs_below(book, page) for page in (1, 2, 3, 4)]

    assert [PAGE_SIZE, PAGE_SIZE, 10, 0] == [len(page.items) for page in found]
    assert list(range(60, 0, -1)) == [row.id for page in found for row in page.items]
    assert {(60, 3)} == {(page.total, page.pages) for page in found}


def test_the_last_page_is_one_that_can_be_asked_for() -> None:
    """However many items there are, "Next" leads to no page that is refused."""
    last = pages(10**9, PAGE_SIZE)

    assert last == page_of({"page": str(last)})
    with pytest.raises(InvalidArgumentError):
        page_of({"page": str(last + 1)})


def test_only_runs_of_the_period_are_listed() -> None:
    """The list goes as far back as the overview beside it."""
    runs = [run_facts(24 * i, passed=False) for i in range(4)]
    second = BEGIN.date().replace(day=BEGIN.day + 1)

    found = runs_below([collection_facts(1, runs)], 1, Period(second, second))

    assert [24] == [row.id for row in found.items]


def test_collections_are_found_by_name_and_id() -> None:
    """The search is for a part of the name, whatever its case, or for the whole id."""
    book = [
        collection_facts(1, name="Refund POLICY"),
        collection_facts(12, name="Tone"),
        collection_facts(2, name="1st"),
    ]

    assert [1] == [row.id for row in collections_page(book, 1, "policy").items]
    assert [12] == [row.id for row in collections_page(book, 1, "12").items]
    assert {1, 2} == {row.id for row in collections_page(book, 1, "1").items}
    assert 3 == collections_page(book, 1, " ").total


def test_a_collection_without_runs_comes_last() -> None:
    """Those with the latest run come first."""
    book = [collection_facts(1), collection_facts(2, [run_facts(1)]), collection_facts(3, [run_facts(2, passed=False)])]

    found = collections_page(book).items

    assert [(3, False), (2, True), (1, None)] == [(row.id, row.last_passed) for row in found]


def test_a_detail_holds_the_latest_runs_only() -> None:
    """A collection of thousands of runs is an answer of bounded size that says how many there are."""
    detail = collection_detail(collection_facts(1, [run_facts(i) for i in range(MOST_RUNS + 5)]), 1.0, stale=False)

    assert (MOST_RUNS, MOST_RUNS + 5) == (len(detail.runs), detail.total_runs)
    assert MOST_RUNS + 4 == detail.runs[0].id


def test_an_evaluation_is_told_in_bounded_words() -> None:
    """The judge's words are cut, the cost is decimal digits, and a pending one has no verdict."""
    document = next(each for each in documents(20) if each["runs"] and each["runs"][0]["evaluations"])
    document["runs"][0]["evaluations"][0] |= {"explanation": "x" * 9_999, "evaluation_cost": "0.000001", "result": None}
    collection = msgspec.convert(document, DataCollection, strict=False)
    first: Evaluation = collection.runs[0].evaluations[0]

    row = evaluation_row(first)

    assert 2_000 == len(row.explanation or "")
    assert ("0.000001", None) == (row.cost, row.passed)
    assert facts_of(collection).runs
