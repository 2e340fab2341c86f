"""Claims about many callers against a service that fails often: the short form of ``python -m benchmarks.soak``."""

from benchmarks.soak import soak


async def test_every_call_ends_with_its_own_value_or_an_error_of_ours() -> None:
    """With a tenth of the requests failing in every way, nothing comes out wrong, and nothing is left."""
    report = await soak(callers=15, requests=20)

    assert 300 == report.outcomes.total()
    assert [] == report.wrong
    assert (0, 0) == (report.tasks, report.sockets)
    assert report.stats is not None
    assert (0, 0) == (report.stats.in_flight, report.stats.waiting)
    assert report.stats.retries > 0
