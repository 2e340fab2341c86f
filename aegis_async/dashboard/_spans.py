"""Days, weeks and months: which span a day belongs to, and which of them a person can read side by side."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

__all__ = ["SPANS", "Period", "Span", "period", "start_of", "suited"]

Span: TypeAlias = Literal["day", "week", "month"]

_MOST_DAYS, _MOST_WEEKS = 45, 400  # days, up to which days, and then weeks, fit a screen


def _monday(day: date) -> date:
    return date.fromordinal(max(day.toordinal() - day.weekday(), 1))


_STARTS: Final[Mapping[Span, Callable[[date], date]]] = MappingProxyType(
    {"day": lambda day: day, "week": _monday, "month": lambda day: day.replace(day=1)}
)
SPANS: Final = tuple(_STARTS)


def start_of(span: Span, day: date) -> date:
    """Give the first day of the span that ``day`` is in; a week begins on Monday."""
    return _STARTS[span](day)


@dataclass(frozen=True, slots=True)
class Period:
    """A first and a last day.

    Attributes:
        first: The first day in it.
        last: The last day in it.
    """

    first: date = date.min
    last: date = date.max

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def period(last: date | None, days: int | None) -> Period:
    """Give the ``days`` days that end with ``last``; None, or no last day, is all there is."""
    if days is None or last is None:
        return Period()
    return Period(date.fromordinal(max(last.toordinal() - days + 1, 1)), last)


def suited(first: date, last: date) -> Span:
    """Give the span in which so many days can be read."""
    length = (last - first).days + 1
    if length <= _MOST_DAYS:
        return "day"
    return "week" if length <= _MOST_WEEKS else "month"
