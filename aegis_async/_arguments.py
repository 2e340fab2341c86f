"""Checks of what a caller passes in; each names the argument and its bounds."""

import sys
from collections.abc import Collection, Mapping
from inspect import iscoroutinefunction
from typing import Final, TypeVar

from aegis_async.errors import AegisError, ConfigurationError, InvalidArgumentError

__all__ = ["choice", "function", "integer", "mapping", "rate", "seconds"]

V = TypeVar("V")

_PRINTED_BITS: Final = 256
_LARGEST: Final = sys.float_info.max


def integer(
    name: str,
    value: object,
    *,
    minimum: int,
    maximum: int | None = None,
    error: type[AegisError] = InvalidArgumentError,
) -> int:
    """Give back ``value`` if it is an int (no bool) within the bounds, or raise ``error``."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise error(f"{name} must be an integer, not {_shown(value)}")
    if value < minimum or (maximum is not None and value > maximum):
        bounds = f"at least {minimum}" if maximum is None else f"between {minimum} and {maximum}"
        raise error(f"{name} must be {bounds}, not {_shown(value)}")
    return int.__int__(value)  # a subclass may print as something else


def seconds(name: str, value: object, *, zero: bool = False, error: type[AegisError] = ConfigurationError) -> float:
    """Give back ``value`` as a finite number of seconds above zero (or at zero), or raise ``error``."""
    return _positive(name, value, "a number of seconds", zero=zero, error=error)


def rate(name: str, value: object) -> float:
    """Give back ``value`` as a finite number above zero, or raise."""
    return _positive(name, value, "a number of requests per second", zero=False, error=ConfigurationError)


def _positive(name: str, value: object, what: str, *, zero: bool, error: type[AegisError]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise error(f"{name} must be {what}, not {_shown(value)}")
    if value > _LARGEST:  # infinity, or an int that no float can hold
        raise error(f"{name} must be finite, not {_shown(value)}")
    if not value >= 0 or (value == 0 and not zero):  # NaN is neither more nor less
        raise error(f"{name} must be {'zero or more' if zero else 'more than zero'}, not {_shown(value)}")
    return float(value)


def choice(name: str, value: object, choices: Collection[object]) -> None:
    """Raise if ``value`` is none of ``choices``."""
    if value not in choices:
        allowed = ", ".join(map(repr, choices))
        raise InvalidArgumentError(f"{name} must be one of {allowed}, not {_shown(value)}")


def mapping(name: str, value: Mapping[str, V] | None) -> Mapping[str, V]:
    """Give back ``value``, an empty one for None, or raise if it is something else."""
    if value is not None and not isinstance(value, Mapping):
        raise InvalidArgumentError(f"{name} must be a mapping, not {_shown(value)}")
    return value or {}


def function(name: str, value: object) -> None:
    """Raise if ``value`` is neither None nor something that can be called and need not be awaited."""
    if value is not None and not callable(value):
        raise InvalidArgumentError(f"{name} must be callable or None, not {_shown(value)}")
    if iscoroutinefunction(value):
        raise InvalidArgumentError(f"{name} must be a plain function: it is called, not awaited")


def _shown(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > _PRINTED_BITS:
        return f"a far {'larger' if value > 0 else 'smaller'} one"  # Python itself refuses to print the largest
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"  # noqa: PLR2004 - long enough to recognise
