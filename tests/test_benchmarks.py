"""The benchmarks compare like with like: every contender does the same work to the end."""

from benchmarks import ids, large
from benchmarks.report import markdown
from benchmarks.rounds import CONTENDERS, measure
from benchmarks.works import PAGE_SIZES, Scale


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


def test_every_large_case_reads_all_of_its_body() -> None:
    """Streamed, in pieces or at once, a collection gives the same evaluations; the page gives its items."""
    results = large.measure(1)

    *collections, page = results.values()
    assert len({figures.count for figures in collections}) == 1
    assert all(figures.size > 900_000 for figures in collections)
    assert page.count > 100
    assert 2 + len(results) == len(large.markdown(results).splitlines())


def test_every_fan_out_gives_every_id() -> None:
    """The fan-outs whose cost is measured give as many values as there were ids."""
    costs = ids.measure(500)

    assert {500} == {cost.count for cost in costs.values()}
    assert 2 + len(costs) == len(ids.markdown(costs).splitlines())
