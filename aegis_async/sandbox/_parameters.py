"""A request's parameters, read and refused the way FastAPI does.

Source: "Parameters" of both endpoints. The bodies of a 422 are FastAPI's; the page does not show them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

Problem = dict[str, object]

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,4000}", re.ASCII)  # int() itself refuses more than 4300 digits
_TRUTHS: Final[Mapping[str, bool]] = MappingProxyType(
    {
        **dict.fromkeys(("true", "1", "on", "t", "y", "yes"), True),
        **dict.fromkeys(("false", "0", "off", "f", "n", "no"), False),
    }
)


class UnprocessableError(Exception):
    """Some parameters cannot be used.

    Attributes:
        problems: One entry for each, as FastAPI lists them under ``detail``.
    """

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Integer:
    """An integer within bounds."""

    name: str
    default: int | None = None
    lowest: int = 1
    highest: int | None = None
    where: str = "query"

    def read(self, text: str) -> int:
        """Give the integer, or raise `UnprocessableError`."""
        if not _INTEGER.fullmatch(text):
            problem = "Input should be a valid integer, unable to parse string as an integer"
            raise _problem(self, "int_parsing", problem, text)
        number = int(text)
        if number < self.lowest:
            problem = f"Input should be greater than or equal to {self.lowest}"
            raise _problem(self, "greater_than_equal", problem, text, {"ge": self.lowest})
        if self.highest is not None and number > self.highest:
            problem = f"Input should be less than or equal to {self.highest}"
            raise _problem(self, "less_than_equal", problem, text, {"le": self.highest})
        return number


@dataclass(frozen=True, slots=True)
class Boolean:
    """A boolean in any of FastAPI's spellings; absent is a state of its own."""

    name: str
    default: None = None
    where: str = "query"

    def read(self, text: str) -> bool:
        """Give the boolean, or raise `UnprocessableError`."""
        if text.lower() not in _TRUTHS:
            raise _problem(self, "bool_parsing", "Input should be a valid boolean, unable to interpret input", text)
        return _TRUTHS[text.lower()]


Parameter = Integer | Boolean


def read_all(parameters: tuple[Parameter, ...], texts: Mapping[str, str]) -> dict[str, Any]:
    """Read every parameter, so that all that is wrong is said at once.

    Raises:
        UnprocessableError: At least one cannot be used.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for parameter in parameters:
        try:
            text = texts.get(parameter.name)
            values[parameter.name] = parameter.default if text is None else parameter.read(text)
        except UnprocessableError as error:
            problems += error.problems
    if problems:
        raise UnprocessableError(problems)
    return values


def _problem(
    parameter: Parameter, kind: str, text: str, given: str, context: Problem | None = None
) -> UnprocessableError:
    problem = {"type": kind, "loc": [parameter.where, parameter.name], "msg": text, "input": given}
    return UnprocessableError([problem | ({"ctx": context} if context else {})])
