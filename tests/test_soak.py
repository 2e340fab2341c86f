"""Claims about many callers against a service that fails often: the short form of ``python -m benchmarks.soak``."""

from collections import Counter

from benchmarks.soak import Report, faults, soak


async def test_every_call_ends_with_its_own_value_or_an_error_of_ours() -> None:
    """With a tenth of the requests failing in every way, nothing comes out wrong, and nothing is left."""
    report = await soak(callers=15, requests=20)

    assert 300 == report.outcomes.total()
    assert [] == report.wrong
    assert (0, 0) == (report.tasks, report.sockets)
    assert report.stats is not None
    assert (0, 0) == (report.stats.in_flight, report.stats.waiting)
    assert report.stats.retries > 0


def test_each_promise_that_a_soak_breaks_is_named() -> None:
    """A wrong value, something left, a late call, memory that grows and calls that all fail are five faults."""
    good = Report(Counter(value=95, RateLimitError=5), longest=5.2, grown=1000)
    bad = Report(Counter(RequestTimeoutError=100), wrong=["1: got 2"], tasks=1, longest=99.0, grown=2 << 20)

    assert [] == faults(good)
    assert 5 == len(faults(bad))
