"""What is left of a client's retry budget: in an outage its retries must not multiply the load."""

from aegis_async._config import RetryBudget

__all__ = ["Bucket"]


class Bucket:
    """The tokens of one budget."""

    __slots__ = ("_budget", "tokens")

    def __init__(self, budget: RetryBudget) -> None:
        self._budget = budget
        self.tokens: int = budget.capacity

    def take(self, *, timeout: bool) -> int | None:
        """Take the tokens of one retry and tell how many, or None when there are too few."""
        cost = self._budget.timeout_cost if timeout else self._budget.retry_cost
        if cost > self.tokens:
            return None
        self.tokens -= cost
        return cost

    def put(self, tokens: int | None = None) -> None:
        """Put back what a retry took, or by default the refund of a call that needed none."""
        back = self._budget.refund if tokens is None else tokens
        self.tokens = min(self._budget.capacity, self.tokens + back)
