"""What a request asks for: its path and query, checked."""

from collections.abc import Mapping
from typing import Final

from aegis_async.dashboard._lists import MOST_PAGES
from aegis_async.dashboard._spans import SPANS, Span
from aegis_async.errors import InvalidArgumentError

__all__ = ["days_of", "id_of", "page_of", "search_of", "span_of"]

_LONGEST: Final = 18  # digits of an id; more do not fit 64 bits
_MOST_DAYS: Final = 36_500
_LONGEST_SEARCH: Final = 200  # characters


def id_of(name: str, given: Mapping[str, object]) -> int:
    """Give an id of the path.

    Raises:
        InvalidArgumentError: It is none.
    """
    return _integer(name, str(given[name]), 10**_LONGEST)


def page_of(query: Mapping[str, str]) -> int:
    """Give ``page``, by default the first.

    Raises:
        InvalidArgumentError: It is no number from 1 to 1000.
    """
    return _integer("page", query.get("page", "1"), MOST_PAGES)


def days_of(query: Mapping[str, str]) -> int | None:
    """Give ``days``, by default None for all.

    Raises:
        InvalidArgumentError: It is no number from 1 to 36500.
    """
    return _integer("days", query["days"], _MOST_DAYS) if "days" in query else None


def span_of(query: Mapping[str, str]) -> Span | None:
    """Give ``span``, by default None for one that suits.

    Raises:
        InvalidArgumentError: It is no span.
    """
    given = query.get("span")
    if given is None:
        return None
    for span in SPANS:
        if span == given:
            return span
    raise InvalidArgumentError(f"span must be one of {', '.join(SPANS)}")


def search_of(query: Mapping[str, str]) -> str:
    """Give ``search``, by default empty.

    Raises:
        InvalidArgumentError: It is longer than 200 characters.
    """
    given = query.get("search", "")
    if len(given) > _LONGEST_SEARCH:
        raise InvalidArgumentError(f"search must have at most {_LONGEST_SEARCH} characters")
    return given


def _integer(name: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST and 1 <= int(text) <= most):
        raise InvalidArgumentError(f"{name} must be a whole number from 1 to {most}")
    return int(text)
