"""What is wrong with the service at present, in sentences for people who need not know its address."""

import logging
from collections.abc import Callable
from typing import Final

from aegis_async.errors import AegisError, AuthenticationError, DecodeError, PaginationError, StatusError

__all__ = ["Problems"]

_log: Final = logging.getLogger("aegis_async")


class Problems:
    """One sentence for each part of the work that fails, until it succeeds.

    Args:
        tell: Called whenever there is another one, or one less.
    """

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._known: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._known)

    def but(self, part: str) -> list[str]:
        """Give what is wrong with any other part than this one."""
        return [problem for name, problem in self._known.items() if name != part]

    def first(self, last: str) -> str | None:
        """Give what has been wrong for longest; of this part only if there is nothing else."""
        return next(iter(self.but(last) or self._known.values()), None)

    def note(self, part: str, error: AegisError, before: str = "") -> None:
        """Note why a part fails, after a sentence of its own."""
        problem = before + _sentence(error)
        if self._known.get(part) != problem:
            self._known[part] = problem
            _log.warning("dashboard: %s", error)
            self._tell()

    def solve(self, part: str) -> None:
        """Note that a part succeeds."""
        if self._known.pop(part, None) is not None:
            self._tell()


def _sentence(error: AegisError) -> str:
    if isinstance(error, AuthenticationError):
        return "The service refuses the key."
    if isinstance(error, StatusError):
        return f"The service answers with an error ({error.status})."
    if isinstance(error, DecodeError | PaginationError):
        return "The service answers in a way that cannot be read."
    if isinstance(error, TimeoutError):
        return "The service does not answer in time."
    return "The service cannot be reached."
