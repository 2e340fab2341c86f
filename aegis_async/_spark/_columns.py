"""The tables' columns in Spark's types, and what a chosen schema asks of Arrow's."""

from collections.abc import Mapping
from typing import Final

import pyarrow as pa
from pyspark.sql.types import (
    BooleanType,
    DataType,
    DecimalType,
    DoubleType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from aegis_async.errors import InvalidArgumentError
from aegis_async.export import TABLES, Kind, Table
from aegis_async.export._arrow import TABLE_SCHEMAS

__all__ = ["arrow_schema", "spark_schema"]

_TABLES: Final[Mapping[str, Table]] = {table.name: table for table in TABLES}
_TYPES: Final[Mapping[Kind, DataType]] = {
    "int64": LongType(),
    "float64": DoubleType(),
    "text": StringType(),
    "bool": BooleanType(),
    "timestamp": TimestampType(),
    "decimal": DecimalType(38, 18),
    "decimal_text": StringType(),
    "json": StringType(),
}


def spark_schema(table: str) -> StructType:
    """Give the schema of a table."""
    return StructType([StructField(c.name, _TYPES[c.kind], c.nullable) for c in _TABLES[table].columns])


def arrow_schema(table: str, chosen: StructType) -> pa.Schema:
    """Give the Arrow schema of the columns that a Spark schema chooses, in its order.

    Raises:
        InvalidArgumentError: It has a column that the table has not, or not of that type.
    """
    columns = {field.name: field for field in spark_schema(table)}
    for field in chosen:
        known = columns.get(field.name)
        if known is None:
            raise InvalidArgumentError(f"schema: {table} has no column {field.name}")
        if field.dataType != known.dataType:
            types = f"{known.dataType.simpleString()}, not {field.dataType.simpleString()}"
            raise InvalidArgumentError(f"schema: {table}.{field.name} is {types}")
        if known.nullable and not field.nullable:
            raise InvalidArgumentError(f"schema: {table}.{field.name} may be null")
    # Spark compares nullability too, and that of a schema of its own making may be wider.
    own = TABLE_SCHEMAS[table]
    return pa.schema([own.field(field.name).with_nullable(field.nullable) for field in chosen])
