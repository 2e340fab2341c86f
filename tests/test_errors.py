"""Claims about the tree of errors."""

import copy
import inspect
import pickle

import pytest

from aegis_async import errors
from aegis_async._session._status import STATUS_ERRORS
from aegis_async.errors import (
    AegisError,
    ConfigurationError,
    DeadlineExceededError,
    InvalidArgumentError,
    RequestTimeoutError,
    RequestValidationError,
    StatusError,
    Violation,
)

CLASSES = [value for _, value in inspect.getmembers(errors, inspect.isclass) if issubclass(value, Exception)]


def filled(cls: type[AegisError]) -> AegisError:
    """Give an error with every keyword of its class set to something of its kind."""
    parameters = list(inspect.signature(cls).parameters.values())[1:]
    given = {p.name: type(p.default)(7) if isinstance(p.default, int | float) else "text" for p in parameters}
    error = cls("what happened", **{name: value for name, value in given.items() if name not in {"args", "kwargs"}})
    error.add_note("a note")
    if isinstance(error, RequestValidationError):
        error.violations = (Violation(("query", "page"), "too small", "greater_than_equal"),)
    return error


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_is_ours_and_exported(cls: type[Exception]) -> None:
    """Each error class stands under AegisError and in ``__all__``."""
    assert issubclass(cls, AegisError)
    assert cls.__name__ in errors.__all__


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize(
    "again",
    [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy],
    ids=["pickle", "copy", "deepcopy"],
)
def test_every_error_survives_pickle_and_copy(cls: type[AegisError], again: object) -> None:
    """An error that crosses a process keeps its type, its text and every attribute."""
    error = filled(cls)

    other = again(error)  # type: ignore[operator]  # a function of one error

    assert (type(error), str(error), vars(error)) == (type(other), str(other), vars(other))


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_the_drawing_at_the_top_names_every_error(cls: type[Exception]) -> None:
    """The tree that a reader sees first has no class missing."""
    assert f"─ {cls.__name__} " in str(errors.__doc__) or f"    {cls.__name__}\n" in str(errors.__doc__)


def test_errors_of_arguments_are_value_errors() -> None:
    """Who catches ValueError catches a wrong setting and a wrong argument."""
    assert issubclass(ConfigurationError, ValueError)
    assert issubclass(InvalidArgumentError, ValueError)


def test_errors_of_time_are_timeout_errors() -> None:
    """Who catches TimeoutError catches a timeout and a deadline."""
    assert issubclass(RequestTimeoutError, TimeoutError)
    assert issubclass(DeadlineExceededError, TimeoutError)


def test_every_class_of_the_status_table_is_a_status_error() -> None:
    """A status leads to an error that carries it."""
    assert all(issubclass(cls, StatusError) for cls in STATUS_ERRORS.values())


def test_a_violation_reads_as_one_sentence() -> None:
    """A complaint shows where and why; one without a place is about the request."""
    assert "query.page: too small" == str(Violation(("query", "page"), "too small", "x"))
    assert "request: too small" == str(Violation((), "too small", "x"))
