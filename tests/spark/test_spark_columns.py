"""Claims about schemas: Spark's types are the export's, and a chosen schema is of the table's columns."""

import pyarrow as pa
import pytest

from aegis_async.errors import InvalidArgumentError
from aegis_async.export import TABLES
from aegis_async.export._arrow import TABLE_SCHEMAS

pytestmark = pytest.mark.spark
types = pytest.importorskip("pyspark.sql.types")
NAMES = tuple(table.name for table in TABLES)


@pytest.mark.parametrize("table", NAMES)
def test_sparks_schema_is_the_exports(table: str) -> None:
    """Spark's own way from its types to Arrow's ends where the export begins, nulls included."""
    from pyspark.sql.pandas.types import to_arrow_schema  # noqa: PLC0415 - an extra

    from aegis_async._spark._columns import spark_schema  # noqa: PLC0415 - imports the extra

    assert TABLE_SCHEMAS[table].remove_metadata() == to_arrow_schema(spark_schema(table), timezone="UTC")


def test_costs_are_exact() -> None:
    """A cost has 38 digits, 18 of them after the point."""
    from aegis_async._spark._columns import spark_schema  # noqa: PLC0415 - imports the extra

    assert types.DecimalType(38, 18) == spark_schema("evaluations")["evaluation_cost"].dataType


def test_a_schema_chooses_columns() -> None:
    """The order and the nullability are those of the schema that was given."""
    from aegis_async._spark._columns import arrow_schema  # noqa: PLC0415 - imports the extra

    chosen = types.StructType(
        [types.StructField("name", types.StringType()), types.StructField("id", types.LongType())]
    )

    assert pa.schema([("name", pa.string()), ("id", pa.int64())]) == arrow_schema("collections", chosen)


@pytest.mark.parametrize(
    ("name", "type_", "nullable", "complaint"),
    [
        ("cost", "LongType", True, "schema: runs has no column cost"),
        ("id", "StringType", True, "schema: runs.id is bigint, not string"),
        ("alias", "StringType", False, "schema: runs.alias may be null"),
    ],
)
def test_a_schema_that_cannot_be_is_refused(name: str, type_: str, nullable: bool, complaint: str) -> None:
    """The error names the column and says what it is."""
    from aegis_async._spark._columns import arrow_schema  # noqa: PLC0415 - imports the extra

    wrong = types.StructType([types.StructField(name, getattr(types, type_)(), nullable)])

    with pytest.raises(InvalidArgumentError, match=complaint):
        arrow_schema("runs", wrong)
