"""Claims about conditions on ids: which ids meet them, and which they name."""

import pytest

from aegis_async._spark._selection import Condition, chosen, named

ONE_TO_NINE = range(1, 10)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ((), [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ((Condition("in", {3, 99}),), [3]),
        ((Condition("not in", {3, 4}), Condition("<", 6)), [1, 2, 5]),
        ((Condition(">", 3), Condition("<=", 6)), [4, 5, 6]),
        ((Condition(">=", 8),), [8, 9]),
        ((Condition("in", {2}), Condition("in", {3})), []),
    ],
)
def test_all_conditions_hold_of_what_is_chosen(conditions: tuple[Condition, ...], expected: list[int]) -> None:
    """Conditions are joined by *and*."""
    assert expected == chosen(ONE_TO_NINE, conditions)


def test_what_is_chosen_ascends() -> None:
    """The order is that of the ids, whatever order the listing had."""
    assert [1, 2, 3] == chosen([3, 1, 2], ())


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ((), None),
        ((Condition(">", 3), Condition("not in", {4})), None),
        ((Condition("in", frozenset({3, 4})), Condition("<", 4)), {3, 4}),
        ((Condition("in", frozenset({3, 4})), Condition("in", frozenset({4, 5}))), {4}),
        ((Condition("in", frozenset({-1, 0, 1})),), {1}),
    ],
)
def test_only_a_list_names_its_ids(conditions: tuple[Condition, ...], expected: set[int] | None) -> None:
    """A range needs the listing to know its ids; a list does not, and what cannot be an id is not asked for."""
    assert expected == named(conditions)
