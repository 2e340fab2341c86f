"""``aegis-async export OUT``: the whole account as files."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Final

from aegis_async.cli._command import Command, add_shared, place

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["EXPORT"]

_KEYS: Final = """\
For --engine ray, AEGIS_API_KEYS may hold further keys of the same account,
between spaces or commas: each has a limiter and workers of its own, so that
--rate-limit holds for each. With --sandbox it is not looked at."""


def _configure(parser: ArgumentParser) -> None:
    from aegis_async.export import FORMATS  # noqa: PLC0415 - not for the help of other commands

    parser.add_argument(
        "out",
        type=place,
        metavar="OUT",
        help="a folder, or a URL as s3://bucket/prefix: new, empty, or of an earlier export",
    )
    parser.add_argument(
        "--format",
        action="append",
        choices=FORMATS,
        metavar="FORMAT",
        help="of the tables: %(choices)s; may be given several times (default: parquet)",
    )
    parser.add_argument("--to", metavar="URL", help="where postgres is: postgresql://user@host/database")
    add_shared(parser)
    parser.add_argument(
        "--ids", metavar="FILE", help="export only these: a file of one id a line, - for standard input"
    )
    parser.add_argument(
        "--concurrency", type=int, default=8, metavar="N", help="collections at a time (default: %(default)s)"
    )
    _add_engine(parser)
    parser.add_argument("--full", action="store_true", help="fetch what has not changed too")
    parser.add_argument(
        "--deleted",
        choices=("keep", "drop"),
        default="keep",
        help="what becomes of the rows of a collection that is gone from the service (default: %(default)s)",
    )
    _add_bounds(parser)


def _add_bounds(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--batch-bytes",
        type=int,
        default=16 << 20,
        metavar="N",
        help="size of the bodies that are written and committed together (default: %(default)s)",
    )
    parser.add_argument(
        "--stream-above",
        type=int,
        default=2 << 20,
        metavar="N",
        help="size of a body above which a collection is fetched by itself, run by run (default: %(default)s)",
    )
    parser.add_argument(
        "--max-outage",
        type=float,
        default=1800.0,
        metavar="SECONDS",
        help="how long to wait for a service that does not answer (default: %(default)s)",
    )


def _add_engine(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("more than one machine", _KEYS)
    group.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="who fetches and writes: this process, or workers on a Ray cluster (default: %(default)s)",
    )
    group.add_argument(
        "--workers", type=int, metavar="N", help="workers on the cluster (default: as many as it has CPUs)"
    )
    group.add_argument(
        "--address",
        metavar="HOST:PORT",
        help="where the cluster is, auto for one on this machine (default: RAY_ADDRESS, or one that is begun here)",
    )


async def _run(options: Namespace, console: "Console") -> int:
    from aegis_async.cli._exporting import run_export  # noqa: PLC0415 - not for --help

    return await run_export(options, console)


EXPORT: Final = Command(
    name="export",
    summary="write every data collection into a folder",
    description="""\
Write every data collection with its datasets, runs and evaluations into a
folder, or under a prefix of an object store, as tables and as the bodies that
the service sent. Interrupt it at any time and run it again: it goes on where
its last commit was, and later fetches only what has changed. The credentials
of an object store come from the environment, as AWS_PROFILE.""",
    configure=_configure,
    run=_run,
)
