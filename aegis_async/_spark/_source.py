"""What Spark registers: the source's name, the schema of the table that was asked for, and its reader."""

from typing import TYPE_CHECKING

from aegis_async._spark._options import Options
from aegis_async.errors import ConfigurationError

try:
    from pyspark.sql.datasource import DataSource
except ImportError:  # the name is public, so it is there for a look without PySpark too

    class DataSource:  # type: ignore[no-redef]  # where there is no pyspark
        """Stands in for Spark's class, and says what to install."""

        def __init__(self, options: object) -> None:  # noqa: ARG002 - Spark's signature
            raise ConfigurationError('AegisDataSource needs PySpark 4.1 or later: pip install "aegis-async[spark]"')


if TYPE_CHECKING:
    from pyspark.sql.datasource import DataSourceReader
    from pyspark.sql.types import StructType

__all__ = ["AegisDataSource"]


class AegisDataSource(DataSource):  # type: ignore[misc]  # pyspark has no types here
    """The account as a source for Spark, format ``aegis``; needs the extra ``spark``.

    The driver lists the collections and plans partitions of ids; each task fetches its own. Options and costs stand
    in the docs under "Spark".

    Raises:
        ConfigurationError: PySpark is not installed.

    Example:
        ::

            spark.dataSource.register(AegisDataSource)
            evaluations = spark.read.format("aegis").option("table", "evaluations").load()
    """

    @classmethod
    def name(cls) -> str:
        """Give the name of the format."""
        return "aegis"

    def schema(self) -> "StructType":
        """Give the schema of the table, the export's.

        Raises:
            ConfigurationError: An option is missing, unknown or out of its bounds.
        """
        from aegis_async._spark._columns import spark_schema  # noqa: PLC0415 - imports PySpark

        return spark_schema(Options.of(self.options).table)

    def reader(self, schema: "StructType") -> "DataSourceReader":
        """Give what plans the partitions and reads them.

        Args:
            schema: The columns to read: the table's own, or some of them.

        Raises:
            ConfigurationError: An option is missing, unknown or out of its bounds.
            InvalidArgumentError: The schema is not of the table's columns.
        """
        from aegis_async._spark._reader import reader  # noqa: PLC0415 - imports PySpark and pyarrow

        return reader(Options.of(self.options), schema)
