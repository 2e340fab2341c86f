"""Where the tables go: which formats, in which folder, at which address; checked before anything is made."""

import re
from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Final
from urllib.parse import urlsplit

from aegis_async._arguments import choice
from aegis_async.errors import InvalidArgumentError
from aegis_async.export._sinks import SINKS, Place
from aegis_async.export._stores import local_folder

__all__ = ["formats_of", "place_of"]

_ADDRESSES: Final = ("postgresql://", "postgres://")
_ESCAPED: Final = re.compile(r"(?:[^\s%]|%[0-9A-Fa-f]{2})*")


def formats_of(given: str | Sequence[str], to: str | None) -> tuple[str, ...]:
    """Give the formats, each once.

    Raises:
        InvalidArgumentError: There is none, one is unknown, or ``to`` is missing, no address, or for none of them.
    """
    if not isinstance(given, Iterable):
        raise InvalidArgumentError(f"format must be one name or several, not {type(given).__name__}")
    names = (given,) if isinstance(given, str) else tuple(given)
    if not names:
        raise InvalidArgumentError(f"format must name at least one of {', '.join(SINKS)}")
    for name in names:
        choice("format", name, tuple(SINKS))
    formats = tuple(dict.fromkeys(names))
    addressed = [name for name in SINKS if SINKS[name].by_address]
    if to is None and any(name in addressed for name in formats):
        raise InvalidArgumentError("to must be the address of the database, as postgresql://user@host/name")
    if to is not None:
        _check_address(to)
        if not any(name in addressed for name in formats):
            raise InvalidArgumentError(f"to is for the format {', '.join(addressed)}, which is not asked for")
    return formats


def place_of(out: str | PathLike[str], formats: Iterable[str], to: str | None) -> Place:
    """Give where sinks may be.

    Raises:
        InvalidArgumentError: A format needs a local folder, and ``out`` is a URL.
    """
    folder = local_folder(out)
    for name in formats:
        if folder is None and SINKS[name].in_folder:
            raise InvalidArgumentError(f"out must be a local folder for the format {name}, and it is a URL")
    return Place(folder, to)


def _check_address(to: object) -> None:
    if not isinstance(to, str) or not to.startswith(_ADDRESSES):
        raise InvalidArgumentError("to must begin with postgresql:// or postgres://")
    if not _ESCAPED.fullmatch(to) or not _is_well_cut(to):
        raise InvalidArgumentError(
            "to must be an address whose password has its special characters escaped, as %2F for /"
        )


def _is_well_cut(to: str) -> bool:
    """Tell whether no part of a password stands where our errors, or the driver's, would quote it."""
    try:
        parts = urlsplit(to)
    except ValueError:  # its words repeat the address
        return False
    pairs = parts.query.split("&") if parts.query else []
    return "@" not in parts.path and all(pair.count("=") == 1 for pair in pairs)
