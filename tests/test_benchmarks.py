"""The benchmarks compare like with like: every contender does the same work to the end."""

from pathlib import Path

from benchmarks import ids, interactive, large, outage
from benchmarks.drift import Scale as Histories
from benchmarks.drift import tables
from benchmarks.large_case import CASES, COPIES, LARGE
from benchmarks.report import markdown, per_call
from benchmarks.rounds import CONTENDERS, VARIANTS, measure
from benchmarks.works import PAGE_SIZES, SMALL_GETS, Scale


def test_every_contender_gets_the_same() -> None:
    """A tiny round of every work gives the same count for each contender, and the table has a line for each."""
    scale = Scale(items=25, small=2, big=1, ids=20, laps=2)
    told: list[str] = []

    results = measure(scale, 2, told.append)

    counts = {work: {batch.count for each in done.values() for batch in each} for work, done in results.items()}
    listings = {f"listing, pages of {size}": {2 * 25} for size in PAGE_SIZES}
    assert {
        **listings,
        "get, 2 KB": {2 * 2},
        "get, 240 KB": {2 * 23 * 15},
        "fan-out, 8 in flight, 2 KB": {2 * 20},
    } == counts
    assert list(results) == told
    assert len(results) * len(CONTENDERS) == markdown(results).count("| bare") + markdown(results).count("| aegis_")


def test_every_variant_makes_the_same_calls() -> None:
    """The client with its parts turned on and off gets the same, and each has its line of costs."""
    scale = Scale(items=25, small=2, big=1, ids=20, laps=2)

    results = measure(scale, 2, lambda _work: None, modules=VARIANTS, only=[SMALL_GETS])

    assert {2 * 2} == {batch.count for each in results[SMALL_GETS].values() for batch in each}
    assert len(VARIANTS) + 2 == len(per_call(results, 4).splitlines())


def test_the_tables_of_drift_are_those_of_the_page() -> None:
    """The script gives the tables of the page on completeness, a line for each rate."""
    page = (Path(__file__).parents[1] / "docs" / "completeness.md").read_text(encoding="utf-8")

    lines = list(tables(Histories(histories=3, items=400)))

    shown = [line for line in page.splitlines() if line.startswith("| moves") or line[2:3].isdigit()]
    assert [line.split("|")[1] for line in shown] == [line.split("|")[1] for line in lines if line[:2] == "| "]


def test_every_large_case_reads_all_of_its_body() -> None:
    """However a collection is read it has the same evaluations; bytes, rows and items are all there."""
    results = large.measure(1)

    works = [CASES[number] for number in results]
    counts = {case.work: figures.count for case, figures in zip(works, results.values(), strict=True)}
    large_ones = [f for case, f in zip(works, results.values(), strict=True) if case.target == LARGE]
    in_bytes = counts.pop("`fetch` of `bytes`")
    assert in_bytes == large_ones[0].size > 900_000
    assert len({f.count for f in large_ones} - {in_bytes}) == 1
    assert len(COPIES) * results[0].count == counts[f"`get_many`, {len(COPIES)} of these, 4 in flight"]
    assert counts["`list(page_size=10000)`"] == counts['`list(page_size="auto")`'] > 100
    assert 2 + len(results) == len(large.markdown(results).splitlines())


def test_every_fan_out_gives_every_id() -> None:
    """The fan-outs whose cost is measured give as many values as there were ids."""
    costs = ids.measure(500)

    assert {500} == {cost.count for cost in costs.values()}
    assert 2 + len(costs) == len(ids.markdown(costs).splitlines())


async def test_interactive_calls_are_measured_beside_a_fan_out_to_its_end() -> None:
    """All calls and all ids are there; a thousand callers made one request, and those of the warm cache none."""
    felt = await interactive.measure(interactive.Scale(rounds=2, calls=20, ids=40, latency=0.001, every=0.0))

    assert (40, 80) == (len(felt.alone), felt.fetched)
    assert 0 < len(felt.beside) <= 40
    assert {"with a cache": 1, "without a cache": 1} == {name: crowd.asked for name, crowd in felt.crowds.items()}
    assert 0 == felt.warm.asked
    assert "99th percentile" in interactive.markdown(felt)


LOAD = {"requests": 10_000, "refused": 0, "broken": 0, "p50": 0.007, "p99": 0.04, "longest": 0.1}
ASKED = {"/data-collections": 2, **{f"/data-collections/{number}": 1 for number in range(1, 21)}}


def test_an_outage_in_which_everything_held_is_without_fault() -> None:
    """The table has a line for each figure."""
    seen = outage.Seen(LOAD, frozenset({"down", "live"}), 1.5, 1.8, ASKED)

    assert [] == outage.faults(outage.SHORT, seen)
    assert "requests at the service in its first second, of 24 allowed | 22 |" in outage.markdown(outage.SHORT, seen)


def test_each_promise_that_an_outage_breaks_is_named() -> None:
    """A refused tab, no load, an outage unsaid, late numbers and a stampede are five faults."""
    broken = {**LOAD, "requests": 3, "refused": 1}
    seen = outage.Seen(broken, frozenset({"live"}), 2.5, 2.5, ASKED | {"/data-collections/1": 500})

    assert 5 == len(outage.faults(outage.SHORT, seen))
