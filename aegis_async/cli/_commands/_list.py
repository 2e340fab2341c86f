"""``aegis-async list``: the collections as a table, as NDJSON or as CSV."""

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Final

from aegis_async.cli._command import Command, add_shared

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["LIST"]

_PAGE_SIZE: Final = 100


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--format",
        choices=("table", "ndjson", "csv"),
        help="how to write them (default: table on a terminal, ndjson in a pipe)",
    )
    add_shared(parser)
    parser.add_argument(
        "--page-size", type=int, metavar="N", help=f"items of one request, 1 to 10000 (default: {_PAGE_SIZE})"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="stop after so many")


async def _run(options: Namespace, console: "Console") -> int:
    from aegis_async._arguments import integer  # noqa: PLC0415 - not for --help
    from aegis_async.cli._connect import connected  # noqa: PLC0415 - likewise
    from aegis_async.cli._rows import show_table, stream  # noqa: PLC0415 - likewise

    limit = None if options.limit is None else integer("limit", options.limit, minimum=1)
    page_size = _PAGE_SIZE if options.page_size is None else options.page_size
    async with connected(options) as client:
        listing = client.data_collections.list(page_size=page_size, shared=options.shared, prefetch=1)
        format_ = options.format or ("table" if sys.stdout.isatty() else "ndjson")
        if format_ == "table":
            await show_table(await listing.collect(limit), listing.stats.total_items, console)
        else:
            await stream(listing, limit, page_size, format_)
    return 0


LIST: Final = Command(
    name="list",
    summary="list data collections",
    description="List data collections: a table on a terminal, in a pipe one JSON object a line.",
    configure=_configure,
    run=_run,
)
