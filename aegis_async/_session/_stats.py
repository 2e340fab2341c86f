"""What a client has done so far, counted as it goes."""

from dataclasses import dataclass

import msgspec
from msgspec.structs import asdict, replace

__all__ = ["ClientStats", "Counts"]


class Counts(msgspec.Struct):
    """The sums of one client; they outlive its connections."""

    attempts: int = 0
    succeeded: int = 0
    failed: int = 0
    retries: int = 0
    shared: int = 0
    size: int = 0
    waited_slot: float = 0.0
    waited_pause: float = 0.0
    waited_backoff: float = 0.0

    def take(self) -> "Counts":
        """Give the sums so far, and begin anew."""
        taken = replace(self)
        for name, value in asdict(Counts()).items():
            setattr(self, name, value)
        return taken

    def add(self, other: "Counts") -> None:
        """Count what another process has done on this client's behalf too."""
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientStats:
    """What a client has done since it was made, and what it is doing now.

    Attributes:
        attempts: Requests that went on the wire.
        succeeded: Calls that gave a result.
        failed: Calls that ended in an error, a deadline or a cancellation.
        retries: Attempts after the first of a call.
        shared: Calls that took their result from an identical one in flight.
        size: Bytes of all bodies after decompression.
        waited_slot: Seconds that calls have waited for a slot or for the rate, added up.
        waited_pause: Seconds that calls have waited for a pause to end, those for their own ``Retry-After`` counted.
        waited_backoff: Seconds that calls have waited between attempts without being asked to.
        in_flight: Requests on the wire now.
        waiting: Calls that wait for a slot, the rate or the end of a pause now.
        limit: Requests that may be on the wire at once now.
        paused_for: Seconds until the pause that the service asked for ends.
        retry_tokens: What is left of the retry budget; None without one.
    """

    attempts: int
    succeeded: int
    failed: int
    retries: int
    shared: int
    size: int
    waited_slot: float
    waited_pause: float
    waited_backoff: float
    in_flight: int
    waiting: int
    limit: int
    paused_for: float
    retry_tokens: int | None
