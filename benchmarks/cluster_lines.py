"""What serves one after the other: a processor, a link, the slots of a client, a key's rate at either end."""

__all__ = ["Admission", "Line"]


class Line:
    """Serves so much a second, in the order of asking.

    Args:
        rate: Units a second.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.free = 0.0
        self.busy = 0.0

    def take(self, now: float, amount: float) -> float:
        """Give the instant at which so much that is asked for now is served."""
        taken = amount / self.rate
        self.free = max(self.free, now) + taken
        self.busy += taken
        return self.free


class Admission:
    """The service's side of a key: so many requests a second, and a burst after a quiet time (GCRA).

    Args:
        rate: Requests a second.
        burst: Seconds of that rate.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._due = 0.0  # when the requests so far would have come at an even pace
        self.admitted = 0

    def admit(self, begin: float, end: float, requests: int) -> int:
        """Give how many of these requests, sent evenly between two instants, are not refused."""
        due = max(self._due, begin)
        room = int((end + self._burst - due) * self._rate + 1e-6)  # what is spaced exactly must not fail by rounding
        admitted = max(0, min(requests, room))
        if admitted:
            self._due = due + admitted / self._rate
        self.admitted += admitted
        return admitted
