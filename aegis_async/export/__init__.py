"""A whole account as files: every collection, dataset, run and evaluation, and the bodies they came in.

::

    report = await aegis_async.export.export(client, "out")
    print(report.status, report.rows)
    print(aegis_async.export.next_steps("out"))

It needs the extra ``export`` (pyarrow), which is imported when an export begins and not before.
"""

from typing import Final

from aegis_async.export._compare import compare
from aegis_async.export._evidence import ListingEvidence
from aegis_async.export._export import export
from aegis_async.export._queries import next_steps
from aegis_async.export._read import read
from aegis_async.export._report import (
    ExportReport,
    Missing,
    Progress,
    Quarantined,
    Status,
    read_report,
)
from aegis_async.export._schema import SCHEMA_VERSION, TABLES, Column, Kind, Table
from aegis_async.export._sinks import SINKS
from aegis_async.export._verify import verify

__all__ = [
    "FORMATS",
    "SCHEMA_VERSION",
    "TABLES",
    "Column",
    "ExportReport",
    "Kind",
    "ListingEvidence",
    "Missing",
    "Progress",
    "Quarantined",
    "Status",
    "Table",
    "compare",
    "export",
    "next_steps",
    "read",
    "read_report",
    "verify",
]

FORMATS: Final = tuple(SINKS)
"""The formats that `export` writes."""
