"""The benchmarks compare like with like: every contender does the same work to the end."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks import ids, interactive, large, outage, quick_faults
from benchmarks.drift import Scale as Histories
from benchmarks.drift import tables
from benchmarks.flames import Frame, reduced
from benchmarks.large_case import CASES, COPIES, LARGE
from benchmarks.pages import PAGES, filled
from benchmarks.report import TABLES
from benchmarks.results import Run, Where, read, write
from benchmarks.rounds import measure
from benchmarks.targets import TARGETS
from benchmarks.works import Scale
from docs.pictures.flames import drawn, heaviest

SCALE = Scale(items=25, pages=3, small=2, big=1, ids=6, batch=1)
INSTALLED = (
    *("bare", "bare again", "bare, default Structs", "aegis_async", "aegis_async, no single flight"),
    *(
        "aegis_async, no single flight, four hooks",
        "aegis_async, warm cache",
        "bare, isal",
        "aegis_async, without isal",
    ),
)
"""Those that need nothing beyond the tests' own packages."""


@pytest.mark.build  # a process for each; `nox -s docs` has it
def test_every_contestant_gets_the_same() -> None:
    """A tiny round of a work of each kind gives as much to each contestant, lap for lap."""
    works = ("listing, pages of 10", "get, 2 KB", "get, 240 KB, gzip", "get, 240 KB, zstd", "fan-out, 8 in flight")
    told: list[str] = []

    results = measure(SCALE, 2, told.append, works=works, who=INSTALLED)

    laps = {work: {b.count / b.laps for each in done.values() for b in each} for work, done in results.items()}
    assert [1] * len(works) == [len(counts) for counts in laps.values()]
    assert {20.0} == laps["listing, pages of 10"]
    assert {6.0} == laps["fan-out, 8 in flight"]
    assert sorted(works) == sorted(told)
    assert {2} == {len(each) for done in results.values() for each in done.values()}


def test_a_run_is_kept_and_judged(tmp_path: Path) -> None:
    """A run is read as it was written, and each target is met, missed or said to be not measured."""
    who = ("bare", "bare again", "aegis_async", "aegis_async, no single flight", "aegis_async, warm cache")
    works = measure(SCALE, 2, lambda _work: None, works=["get, 2 KB"], who=who)
    run = Run(Where(datetime.now(UTC), 2, 0.5, {"Python": "3.11.0"}), SCALE, works)

    write(run, tmp_path / "run.json")

    assert run == read(tmp_path / "run.json")
    judged = TABLES["targets"](run).splitlines()[2:]
    assert len(TARGETS) == len(judged)
    assert 3 == sum("not measured" not in line for line in judged)
    assert "aegis_async, warm cache" in TABLES["get"](run)


def test_the_pages_have_the_tables_of_the_kept_runs() -> None:
    """Filling the pages anew changes nothing, so no figure on them is another one than the run's."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")

        assert "<!-- measured: " in text
        assert text == filled(text)


def test_a_recording_loses_what_waits_and_what_is_small() -> None:
    """The tree of stacks has the shares of the time that was worked, and small frames count for their callers."""
    loop = "main (a.py:1);Handle._run (asyncio/events.py:78)"
    lines = [
        "main (a.py:1);EpollSelector.select (selectors.py:451) 900",
        f"{loop};ours (aegis_async/x.py:1) 60",
        f"{loop};ours (aegis_async/x.py:1);theirs (json.py:1) 39",
        f"{loop};ours (aegis_async/x.py:1);tiny (json.py:2) 1",
    ]

    root = reduced(lines, least=0.02)

    assert Frame("", 1.0, [Frame("ours (aegis_async/x.py:1)", 1.0, [Frame("theirs (json.py:1)", 0.39, [])])]) == root
    assert [("ours (aegis_async/x.py:1)", 0.61)] == heaviest(root, 0.05)
    assert 2 == drawn(root).count("<rect")


def test_the_tables_of_drift_are_those_of_the_page() -> None:
    """The script gives the tables of the page on completeness, a line for each rate."""
    page = (Path(__file__).parents[1] / "docs" / "completeness.md").read_text(encoding="utf-8")

    lines = list(tables(Histories(histories=3, items=400)))

    shown = [line for line in page.splitlines() if line.startswith("| moves") or line[2:3].isdigit()]
    assert [line.split("|")[1] for line in shown] == [line.split("|")[1] for line in lines if line[:2] == "| "]


@pytest.mark.build  # likewise
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
    """Nothing is named that did not hold, and the table says how many requests met the service on its return."""
    seen = outage.Seen(LOAD, frozenset({"down", "live"}), 1.5, 1.8, ASKED)

    assert [] == outage.faults(outage.SHORT, seen)
    assert "requests at the service in its first second, of 26 allowed | 22 |" in outage.markdown(outage.SHORT, seen)


def test_each_promise_that_an_outage_breaks_is_named() -> None:
    """A refused tab, no load, an outage unsaid, late numbers and a stampede are five faults."""
    broken = {**LOAD, "requests": 3, "refused": 1}
    seen = outage.Seen(broken, frozenset({"live"}), 2.5, 2.5, ASKED | {"/data-collections/1": 500})

    assert 5 == len(outage.faults(outage.SHORT, seen))


def test_an_outage_of_quick_faults_is_judged_by_the_calls_and_by_the_requests_of_each() -> None:
    """Enough calls with few requests each are without fault; too few calls, and too many requests, are one each."""
    good = quick_faults.Seen(60.0, 4000, 4100, 2100)
    few, many = quick_faults.Seen(60.0, 1999, 2000, 0), quick_faults.Seen(60.0, 2000, 2401, 2401)

    assert [] == quick_faults.faults({"at once": good})
    assert ["few: 1999 calls, fewer than 2000", "many: 1.200 requests a call, more than 1.2"] == quick_faults.faults(
        {"few": few, "many": many}
    )
    assert "| at once | 60.0 | 4,000 | 4,100 | 1.0250 | 1.0500 |" in quick_faults.markdown(
        quick_faults.Scale(), {"at once": good}
    )
