"""The account behind the sandbox: made up, yet the same each time, consistent in itself, and lifelike."""

import json
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from hashlib import sha256
from itertools import pairwise
from statistics import mean
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aegis_async.sandbox import Sandbox
from aegis_async.sandbox._documents import Record
from aegis_async.sandbox._vocabulary import METRICS

SHORTNAMES = {metric.id: metric.shortname for metric in METRICS}


def full(collection_id: int, *, seed: int = 0, revision: int = 0) -> Any:
    """Read one collection in its full form."""
    return json.loads(b"".join(Record(seed, collection_id, revision).full()))


def summary(collection_id: int, *, seed: int = 0, revision: int = 0) -> Any:
    """Read one collection as it is listed."""
    return json.loads(Record(seed, collection_id, revision).summary())


@cache
def account() -> list[Any]:
    """Read two hundred collections."""
    return [full(collection_id) for collection_id in range(1, 201)]


def all_runs() -> list[Any]:
    """Give their runs, but for one that the service's page prints as an example."""
    return [run for collection in account() for run in collection["runs"] if run["id"] != 991]


def all_evaluations() -> list[Any]:
    """Give these runs' evaluations."""
    return [evaluation for run in all_runs() for evaluation in run["evaluations"]]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 9),
    collection_id=st.integers(1, 100_000).filter(lambda one: one != 14),
    revision=st.integers(0, 2),
)
def test_the_summary_says_what_the_full_form_says(seed: int, collection_id: int, revision: int) -> None:
    """Everything that a summary holds of a collection, its datasets and runs, is so in the full form."""
    listed = summary(collection_id, seed=seed, revision=revision)
    whole = full(collection_id, seed=seed, revision=revision)

    for field in listed.keys() - {"datasets", "runs"}:
        assert whole[field] == listed[field]
    for rows in ("datasets", "runs"):
        assert listed[rows] == [
            {name: row[name] for name in one} for one, row in zip(listed[rows], whole[rows], strict=True)
        ]


def test_a_finished_run_s_numbers_follow_from_its_evaluations() -> None:
    """Aggregates are the metrics' means, the result is theirs, and the verdicts follow the thresholds."""
    for run in (run for run in all_runs() if run["finished_at"]):
        results = defaultdict(list)
        for evaluation in run["evaluations"]:
            if evaluation["result"] is not None:
                results[SHORTNAMES[evaluation["metric_id"]]].append(evaluation["result"])
            verdict = None if evaluation["result"] is None else evaluation["result"] >= evaluation["threshold"]
            assert verdict == evaluation["is_gte_threshold"]

        assert run["aggregate_results"] == {name: round(mean(some), 1) for name, some in results.items()}
        assert run["result"] == pytest.approx(mean(run["aggregate_results"].values()), abs=0.006)
        assert (run["result"] >= run["threshold"]) == run["is_gte_threshold"]
        assert run["number_of_metrics"] == len(run["aggregate_results"])


def test_a_run_under_way_has_no_result_yet() -> None:
    """Result, verdict and end are null, and its last evaluation is pending."""
    under_way = [run for run in all_runs() if run["finished_at"] is None]

    assert under_way
    for run in under_way:
        assert (None, None, None) == (run["result"], run["aggregate_results"], run["is_gte_threshold"])
        *_, last = run["evaluations"]
        assert (None, None, None) == (last["finished_at"], last["result"], last["is_success"])


def test_evaluations_belong_to_their_run() -> None:
    """The ids that tie evaluation, run, dataset and collection together agree."""
    for collection in account():
        datasets = {dataset["id"]: dataset for dataset in collection["datasets"]}
        for run in collection["runs"]:
            assert run["data_collection_id"] in {collection["id"], None}
            assert run["dataset"] == datasets.get(run["dataset_id"])
            for evaluation in run["evaluations"]:
                assert (run["id"], run["dataset_id"]) == (evaluation["run_id"], evaluation["dataset_id"])
                assert evaluation["user_id"] == (run["user"] and run["user"]["id"])


@pytest.mark.parametrize(
    "rows",
    [
        lambda: [dataset for collection in account() for dataset in collection["datasets"]],
        lambda: [run for collection in account() for run in collection["runs"]],
        all_evaluations,
    ],
    ids=["datasets", "runs", "evaluations"],
)
def test_no_id_comes_twice(rows: Callable[[], list[Any]]) -> None:
    """Ids are unique in the account, as far as two hundred collections can show."""
    ids = [row["id"] for row in rows()]

    assert len(ids) == len(set(ids))


def test_the_account_holds_what_a_reader_must_cope_with() -> None:
    """Failed and broken runs, nulls wherever the page allows them, unicode, long ids, and sizes with a tail."""
    sizes = sorted(len(b"".join(Record(0, collection["id"], 0).full())) for collection in account())
    owners = {(one["user"] is None, one["org_id"] is None) for one in account()}
    dataset_nulls = {name for one in account() for row in one["datasets"] for name in row if row[name] is None}
    run_nulls = {name for row in all_runs() for name in row if row[name] is None}
    evaluation_nulls = {name for row in all_evaluations() for name in row if row[name] is None}

    assert {(False, True), (False, False), (True, False)} == owners
    assert {"user", "org_id", "selected_metrics", "column_mappings", "updated_at"} <= dataset_nulls
    assert {"dataset", "dataset_id", "model_slug", "alias", "result", "aggregate_results", "finished_at"} <= run_nulls
    assert {"user_id", "explanation", "result", "evaluation_cost", "eval_metadata", "is_success"} <= evaluation_nulls
    assert {True, False, None} == {run["is_gte_threshold"] for run in all_runs()}
    assert {int, float} == {type(run["threshold"]) for run in all_runs()}
    assert any(not one["name"].isascii() for one in account())
    assert any(2**31 < evaluation["id"] for evaluation in all_evaluations())
    assert 10_000 < sizes[len(sizes) // 2] < 60_000
    assert 10 * sizes[len(sizes) // 2] < sizes[-1]


def test_costs_are_decimal_numbers_in_strings() -> None:
    """Each cost has six places after the point, and every one can be added up exactly."""
    costs = [one["evaluation_cost"] for one in all_evaluations() if one["evaluation_cost"]]

    assert {-6} == {Decimal(cost).as_tuple().exponent for cost in costs}
    assert sum(map(Decimal, costs)) > 0


def test_scores_drift_over_months_and_differ_by_model() -> None:
    """What a dashboard would show is there: answers become better, and some models are better than others."""
    by_month, by_model = defaultdict(list), defaultdict(list)
    for run in (run for run in all_runs() if run["result"] is not None):
        by_month[run["started_at"][:7]].append(run["result"])
        by_model[run["model_slug"]].append(run["result"])
    months = [mean(by_month[month]) for month in sorted(by_month) if len(by_month[month]) > 20]
    models = [mean(some) for some in by_model.values() if len(some) > 20]

    assert months[-1] - months[0] > 5
    assert max(models) - min(models) > 8


def test_collections_are_created_in_the_order_of_their_ids() -> None:
    """A later id was never created earlier, and no collection was updated before it was created."""
    created = [collection["created_at"] for collection in account()]

    assert sorted(created) == created
    assert all(one["updated_at"] is None or one["updated_at"] > one["created_at"] for one in account())
    assert all(one["started_at"] < two["started_at"] for c in account() for one, two in pairwise(c["runs"]))


def test_the_same_seed_gives_the_same_bytes_anywhere() -> None:
    """The first fifty collections of seed 0 have this sum on every Python and machine."""
    bodies = (piece for one in range(1, 51) for piece in Record(0, one, 0).full())

    assert "e8cb5c1acb594e99" == sha256(b"".join(bodies)).hexdigest()[:16]


def test_another_seed_gives_another_account() -> None:
    """All but the page's example differ."""
    assert full(14, seed=1) == full(14)
    assert all(full(one, seed=1) != full(one) for one in range(1, 14))


async def test_an_account_of_any_size_starts_at_once(ask: Any) -> None:
    """Ten million collections cost nothing until they are asked for."""
    async with Sandbox(collections=10_000_000) as sandbox:
        page = await ask(sandbox, "/data-collections?page=100000&page_size=100")

    assert (10_000_000, 100) == (page.json["items"][-1]["id"], page.json["meta"]["items_on_page"])


@pytest.mark.parametrize("collection_id", [1, 6, 14, 15])
async def test_a_change_shows_in_both_forms(collection_id: int, sandbox: Sandbox, ask: Any) -> None:
    """A run is added, none is under way any more, updated_at moves, and both forms agree."""
    path, place = f"/data-collections/{collection_id}", f"/data-collections?page_size=1&page={collection_id}"
    before, listed_before = (await ask(sandbox, path)).json, (await ask(sandbox, place)).json["items"][0]

    sandbox.change(collection_id)

    after, listed = (await ask(sandbox, path)).json, (await ask(sandbox, place)).json["items"][0]
    assert len(before["runs"]) + 1 == len(after["runs"]) == len(listed["runs"])
    assert (before["updated_at"] or "") < after["updated_at"] == listed["updated_at"] != listed_before["updated_at"]
    assert all(run["finished_at"] for run in after["runs"])
    assert before["datasets"] == after["datasets"]


async def test_a_deleted_collection_is_gone_everywhere(sandbox: Sandbox, ask: Any) -> None:
    """It is not found, not listed, its runs are gone, and later pages move up."""
    sandbox.delete(1)

    listing = (await ask(sandbox, "/data-collections?page=2")).json
    assert (list(range(12, 21)), 19) == ([one["id"] for one in listing["items"]], listing["meta"]["total_items"])
    assert 404 == (await ask(sandbox, "/data-collections/1")).status
    assert 404 == (await ask(sandbox, "/runs/1")).status


async def test_an_added_collection_comes_last_and_has_the_next_id(sandbox: Sandbox, ask: Any) -> None:
    """Ids are never used again, even when the newest was deleted."""
    sandbox.delete(20)

    assert [21, 22] == [sandbox.add(), sandbox.add()]

    listing = (await ask(sandbox, "/data-collections?page_size=30")).json
    assert [19, 21, 22] == [one["id"] for one in listing["items"]][-3:]
    assert 200 == (await ask(sandbox, "/data-collections/22")).status


async def test_a_collection_added_first_shifts_every_page(sandbox: Sandbox, ask: Any) -> None:
    """What ended the first page begins the second."""
    first = (await ask(sandbox, "/data-collections")).json["items"]

    sandbox.add(first=True)

    second = (await ask(sandbox, "/data-collections?page=2")).json["items"]
    assert first[-1] == second[0]


async def test_drift_happens_once_right_after_its_page(sandbox: Sandbox, ask: Any) -> None:
    """The page itself is as it was, the next one has moved, and a second reading moves nothing."""
    sandbox.drift(after_page=1, delete=[1, 2], add=1)

    pages = [(await ask(sandbox, f"/data-collections?page={page}")).json for page in (1, 2, 1, 2)]

    assert [20, 19, 19, 19] == [page["meta"]["total_items"] for page in pages]
    assert [1, 13, 3, 13] == [page["items"][0]["id"] for page in pages]


async def test_drift_at_the_head_repeats_items(sandbox: Sandbox, ask: Any) -> None:
    """Two collections added first push the first page's last two onto the second."""
    sandbox.drift(after_page=1, add_first=2)

    pages = [(await ask(sandbox, f"/data-collections?page={page}")).json["items"] for page in (1, 2)]

    assert [9, 10] == [one["id"] for one in pages[1]][:2] == [one["id"] for one in pages[0]][-2:]


async def test_drift_passes_over_what_is_gone_by_then(sandbox: Sandbox, ask: Any) -> None:
    """An id that was deleted between script and moment does no harm."""
    sandbox.drift(after_page=1, delete=[1, 2])
    sandbox.delete(2)

    pages = [(await ask(sandbox, "/data-collections")).json for _ in range(2)]

    assert [19, 18] == [page["meta"]["total_items"] for page in pages]


async def test_a_scripted_status_is_no_reading_of_the_page(sandbox: Sandbox, ask: Any) -> None:
    """Drift waits for the page to be really read, not for an attempt that a fault met."""
    sandbox.drift(after_page=1, add=1)
    sandbox.fail(status=503)

    replies = [await ask(sandbox, "/data-collections") for _ in range(3)]

    assert [503, 200, 200] == [reply.status for reply in replies]
    assert [20, 21] == [reply.json["meta"]["total_items"] for reply in replies[1:]]


async def test_cleared_drift_does_not_happen(sandbox: Sandbox, ask: Any) -> None:
    """clear_faults forgets drifts too, and other listings never set one off."""
    sandbox.drift(after_page=1, add=1)
    await ask(sandbox, "/runs")
    sandbox.clear_faults()

    pages = [(await ask(sandbox, "/data-collections")).json for _ in range(2)]

    assert [20, 20] == [page["meta"]["total_items"] for page in pages]


def test_what_does_not_exist_cannot_be_changed() -> None:
    """A wrong id is a LookupError that names it."""
    sandbox = Sandbox(collections=3)
    sandbox.delete(2)

    for act in (sandbox.change, sandbox.delete, lambda one: sandbox.drift(after_page=1, delete=[one])):
        for missing in (0, 2, 4):
            with pytest.raises(LookupError, match=f"the sandbox has no collection {missing}"):
                act(missing)
