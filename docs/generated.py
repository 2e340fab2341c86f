"""What the pages say and the code knows better: the export's tables, the commands and the dashboard's answers."""

import argparse
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from aegis_async.cli import build_parser
from aegis_async.dashboard._details import CollectionDetail, EvaluationRow, RunDetail
from aegis_async.dashboard._lists import CollectionRow, ListPage, RunRow
from aegis_async.dashboard._overview import Metric, ModelRow, Numbers, Overview, SpanRow
from aegis_async.dashboard._source import State
from aegis_async.export import TABLES, Column, Table

__all__ = ["ANSWERS", "PAGES", "answers", "commands", "tables"]

_WIDTH: Final = 96
ANSWERS: Final = (
    *(Overview, Numbers, SpanRow, ModelRow, Metric),
    *(ListPage, RunRow, CollectionRow, CollectionDetail, RunDetail, EvaluationRow, State),
)
"""The shapes of the dashboard's answers."""


class _Fixed(argparse.RawDescriptionHelpFormatter):
    """As wide as the page, whatever the terminal's width."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_WIDTH)


def tables() -> str:
    """Give every table of an export with its key and its columns."""
    return "\n".join(map(_table, TABLES))


def commands() -> str:
    """Give the help of every command, as the command line prints it."""
    parser = build_parser()
    return "\n".join(f"## {name}\n\n```text\n{_help(one)}```\n" for name, one in _parsers(parser))


def answers() -> str:
    """Give the fields of the dashboard's answers, from their docstrings."""
    return "\n".join(map(_answer, ANSWERS))


def _answer(shape: type) -> str:
    text = inspect.getdoc(shape) or ""
    summary, _, attributes = text.partition("\n\nAttributes:\n")
    fields = re.findall(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", attributes, re.MULTILINE)
    rows = (f"| `{name}` | {' '.join(said.split())} |" for name, said in fields)
    head = f"### {shape.__name__}\n\n{summary.replace('``', '`')}\n\n| field | |\n|---|---|\n"
    return head + "\n".join(rows).replace("``", "`") + "\n"


def _table(table: Table) -> str:
    head = f"### {table.name}\n\nOne row for each `{table.record.__name__}`; key: {', '.join(map(_code, table.key))}.\n"
    return "\n".join([head, "| column | type | may be null |", "|---|---|---|", *map(_row, table.columns), ""])


def _row(column: Column) -> str:
    return f"| `{column.name}` | {column.kind} | {'yes' if column.nullable else ''} |"


def _code(name: str) -> str:
    return f"`{name}`"


def _parsers(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    yield parser.prog, parser
    for action in parser._actions:  # noqa: SLF001 - argparse has no public way to its commands
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            for one in action.choices.values():
                yield one.prog, one


def _help(parser: argparse.ArgumentParser) -> str:
    parser.formatter_class = _Fixed
    return parser.format_help()


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "<!-- generated: tables -->": tables,
    "<!-- generated: commands -->": commands,
    "<!-- generated: answers -->": answers,
}
"""A marker in a page, and what takes its place."""
