"""What an error means to the caller's shell, and to the person who reads it."""

from typing import Final

from aegis_async.cli._terminal import one_line
from aegis_async.errors import AegisError, AuthenticationError, ConfigurationError, InvalidArgumentError

__all__ = ["sentence", "status"]

_FAILED: Final = 1
# The first kind that fits counts; what is none of these is 1.
_STATUSES: Final[tuple[tuple[type[Exception], int], ...]] = (
    (ConfigurationError, 2),
    (InvalidArgumentError, 2),
    (AuthenticationError, 4),
)


def status(error: Exception) -> int:
    """Give the exit status for an error."""
    return next((number for kind, number in _STATUSES if isinstance(error, kind)), _FAILED)


def sentence(error: Exception) -> str | None:
    """Give the error on one line, or None when nobody foresaw it."""
    text = _text(error)
    return None if text is None else one_line(text)


def _text(error: Exception) -> str | None:
    if isinstance(error, AuthenticationError):
        return f"{error}; check AEGIS_API_KEY, or run aegis-async doctor"
    if isinstance(error, AegisError):
        return str(error)
    if isinstance(error, OSError):
        return _system(error)
    return None


def _system(error: OSError) -> str:
    what = error.strerror or str(error)
    return f"{error.filename}: {what}" if error.filename else what
