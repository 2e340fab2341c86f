"""The account as a Spark source: tables as in the export, read from the service by the executors.

Only this package imports PySpark, and only when ``aegis_async.AegisDataSource`` is asked for.
"""

from aegis_async._spark._source import AegisDataSource

__all__ = ["AegisDataSource"]
