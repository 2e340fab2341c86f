"""The benchmarks of this folder that print a table of their own, run as they stand; their tables as values."""

import subprocess
import sys
from pathlib import Path
from typing import Final, TypeAlias

__all__ = ["Table", "numbers", "table"]

Table: TypeAlias = list[dict[str, str]]
"""Rows: a cell by the head of its column."""

_ROOT: Final = Path(__file__).parents[1]


def table(module: str, *arguments: object) -> Table:
    """Run one of them and give the first table that it prints."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - our own
    head, _, *rows = [_cells(line) for line in done.stdout.splitlines() if line.startswith("|")]
    return [dict(zip(head, row, strict=True)) for row in rows]


def numbers(found: Table, name: str, column: str) -> list[float]:
    """Give the numbers of a column, in the rows whose first cell is ``name``.

    Raises:
        LookupError: There are none.
    """
    cells = [float(row[column]) for row in found if next(iter(row.values())) == name]
    if not cells:
        raise LookupError(name)
    return cells


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]
