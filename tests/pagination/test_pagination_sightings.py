"""Claims about the ids that an iteration remembers: however many, one dict never grows large."""

from random import Random

import pytest

from aegis_async._pagination import _sightings
from aegis_async._pagination._sightings import Sightings


@pytest.mark.parametrize("full", [1, 3, 10, 1000])
def test_the_size_of_a_part_changes_nothing(full: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages with repeats, over three sweeps, are judged alike in one part and in many."""
    pages = [[Random(seed).randrange(60) for _ in range(7)] for seed in range(40)]

    expected = seen(pages)
    monkeypatch.setattr(_sightings, "_FULL", full)

    assert expected == seen(pages)


def test_no_part_grows_beyond_its_bound_and_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids that are new go where there is room, and each is known wherever it went."""
    monkeypatch.setattr(_sightings, "_FULL", 20)
    sightings = Sightings(["known"])

    for start in range(0, 1000, 10):
        assert (range(10), 0) == sightings.see(range(start, start + 10))

    assert max(map(len, sightings._parts)) < 20 + 10
    assert all(id_ in sightings for id_ in ["known", *range(1000)])
    assert 1000 not in sightings


def seen(pages: list[list[int]]) -> list[object]:
    """Give all that is said of these pages, read three times, the last time without their end."""
    sightings, said = Sightings([3, 4]), list[object]()
    for sweep in (pages, pages[::-1], pages[:-9]):
        said += [(list(new), repeats) for new, repeats in map(sightings.see, sweep)]
        said += [sightings.distinct, sightings.agreed]
        sightings.begin_sweep()
    return said
