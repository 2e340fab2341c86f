"""What is left of a client's retry budget: in an outage its retries must not multiply the load."""

from aegis_async._config import RetryBudget

__all__ = ["Bucket", "Budgets"]


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


class Budgets:
    """The buckets of one client, one for each budget that its views name."""

    def __init__(self) -> None:
        self._buckets: dict[RetryBudget, Bucket] = {}

    def of(self, budget: RetryBudget | None) -> Bucket | None:
        """Give the bucket of ``budget``, full when it is first asked for; none without a budget."""
        return self._buckets.setdefault(budget, Bucket(budget)) if budget else None

    def refund(self, budget: RetryBudget | None) -> None:
        """Hear of a call that succeeded at its first attempt."""
        if self._buckets and budget in self._buckets:  # somebody has retried
            self._buckets[budget].put()

    def tokens(self, budget: RetryBudget | None) -> int | None:
        """Give what is left of ``budget``, None without one."""
        if budget is None:
            return None
        return self._buckets[budget].tokens if budget in self._buckets else budget.capacity
