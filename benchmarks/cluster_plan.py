"""What is simulated and what comes of it, as plain values."""

from typing import Final

import msgspec

__all__ = ["Outcome", "Plan"]

_GIGABIT: Final = 1e9 / 8


class Plan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One job on one cluster. What is not measured here is an assumption, and stands in this class.

    Attributes:
        workers: Processes with one core and one client each; worker n uses key n modulo `keys`.
        keys: How many API keys there are.
        rate: Requests a second that the service allows for a key.
        collections: Of the account.
        concurrency: Requests that a worker has on the wire.
        partition: Collections that a worker is given at once.
        asked: The rate that the limiter of a key holds, as a share of `rate`; 0 is no limiter.
        burst: Seconds of its rate that the service lets a quiet key have at once.
        retry_after: Seconds that a 429 asks for.
        throttles: How often in an hour the service refuses a key for `retry_after`, whatever its rate.
        faults: Share of the requests that fail and are sent again.
        crashes: How often in an hour a worker dies.
        away: Seconds until the driver has noticed that and another worker stands in its place, without its start.
        latency: Seconds for one request.
        coding: Bytes on the wire for a byte of JSON.
        link: Bytes a second that all workers together may receive.
        page: Items of a page of the listing.
        page_latency: Seconds for such a page.
        prefetch: Pages that the driver has in flight.
        put: Seconds for one object in the store: a worker's files of a partition, together, or a commit.
        grouped: Whether one commit takes all the reports that wait, or only one.
        seed: Of all chance.
    """

    workers: int
    keys: int
    rate: float
    collections: int = 1_000_000
    concurrency: int = 16
    partition: int = 500
    asked: float = 1.0
    burst: float = 1.0
    retry_after: float = 5.0
    throttles: float = 0.0
    faults: float = 0.0
    crashes: float = 0.0
    away: float = 20.0
    latency: float = 0.1
    coding: float = 0.1
    link: float = 10 * _GIGABIT
    page: int = 1000
    page_latency: float = 1.0
    prefetch: int = 8
    put: float = 0.05
    grouped: bool = False
    seed: int = 0


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of it.

    Attributes:
        seconds: Until the last commit.
        worker_hours: Of all workers, from the first second to the last, busy or not.
        requests: At the service, listing and refused ones included.
        refused: Answered with 429.
        repeated: Collections that were fetched before, by a worker that died.
        crashes: Workers that died.
        commits: Commits that were written.
        committed: How often a partition was committed, by its number.
        busy: What share of the time each resource was used: ``cpu`` of the workers, ``rate`` of the keys that
            workers have, ``slots``
            of the clients, the ``link``, the driver's ``commits``; and for how much of it the ``listing`` went on.
    """

    seconds: float
    worker_hours: float
    requests: int
    refused: int
    repeated: int
    crashes: int
    commits: int
    committed: list[int] = []
    busy: dict[str, float]

    @property
    def bottleneck(self) -> str:
        """Give the resource that was busiest."""
        return max(self.busy, key=self.busy.__getitem__)
