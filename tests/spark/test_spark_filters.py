"""Claims about Spark's filters: those on a collection's id become conditions, all others stay with Spark."""

from typing import Any

import pytest

from aegis_async._spark._selection import Condition

pytestmark = pytest.mark.spark
datasource = pytest.importorskip("pyspark.sql.datasource")

ID = ("collection_id",)


def made(name: str, *arguments: Any) -> Any:
    """Give the filter of that name."""
    return getattr(datasource, name)(*arguments)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("EqualTo", ID, 3), Condition("in", {3})),
        (("EqualNullSafe", ID, 3), Condition("in", {3})),
        (("In", ID, (3, 4)), Condition("in", {3, 4})),
        (("LessThan", ID, 3), Condition("<", 3)),
        (("LessThanOrEqual", ID, 3), Condition("<=", 3)),
        (("GreaterThan", ID, 3), Condition(">", 3)),
        (("GreaterThanOrEqual", ID, 3), Condition(">=", 3)),
        (("EqualTo", ("id",), 3), None),
        (("EqualTo", ("model_slug",), "gpt-4o"), None),
        (("EqualTo", ID, None), None),
        (("EqualTo", ID, True), None),
        (("In", ID, (3, None)), None),
        (("LessThan", ID, 3.5), None),
        (("IsNotNull", ID), None),
    ],
)
def test_a_filter_on_the_id_is_a_condition(given: tuple[Any, ...], expected: Condition | None) -> None:
    """A comparison of the id with integers is one; a null, a record's own id or another column is none."""
    from aegis_async._spark._filters import condition  # noqa: PLC0415 - imports the extra

    assert expected == condition("runs", made(*given))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("EqualTo", ID, 3), Condition("not in", {3})),
        (("In", ID, (3, 4)), Condition("not in", {3, 4})),
        (("LessThan", ID, 3), None),
        (("IsNull", ID), None),
    ],
)
def test_what_is_not_to_be_is_a_condition_too(given: tuple[Any, ...], expected: Condition | None) -> None:
    """Ids may be excluded; a negated comparison reaches no source, since Spark turns it round."""
    from aegis_async._spark._filters import condition  # noqa: PLC0415 - imports the extra

    assert expected == condition("runs", made("Not", made(*given)))


def test_the_id_of_a_collection_has_two_names_in_its_own_table() -> None:
    """In the table of collections ``id`` is the same as ``collection_id``."""
    from aegis_async._spark._filters import condition  # noqa: PLC0415 - imports the extra

    assert Condition("in", {3}) == condition("collections", made("EqualTo", ("id",), 3))
