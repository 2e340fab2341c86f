"""How many requests a second each key may make."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Allowance:
    """A bucket for each key, as many services have: it holds a second's worth and fills evenly.

    Attributes:
        rate: Requests a second, None for any number.
        clock: Seconds that never go back.
    """

    rate: float | None
    clock: Callable[[], float] = time.monotonic
    _due: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rate = self.rate
        if rate is not None and (isinstance(rate, bool) or not 0 < rate < math.inf):
            raise ValueError(f"rate must be more than 0 requests a second, or None, not {rate!r}")

    def wait(self, key: str) -> float:
        """Take one request from a key's bucket, or give the seconds until there is one."""
        if self.rate is None:
            return 0.0
        now, interval = self.clock(), 1 / self.rate
        due = max(self._due.get(key, -math.inf), now)  # when all that was taken will have filled up again
        left = due + interval - now - max(1.0, interval)
        if left > 1e-9:  # noqa: PLR2004 - the error of adding fractions
            return left
        self._due[key] = due + interval
        return 0.0
