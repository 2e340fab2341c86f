"""``python -m benchmarks.export``: a whole export beside bare decoding and Parquet writing of the same bodies.

Each contender runs in a process of its own and tells its processor time and its largest memory; the server is
another process. Imports are done before the clock starts. ``bare`` decodes bodies that are in memory and writes the
same columns as Parquet; ``fetched`` gets them over HTTP; ``kept`` writes the raw bodies with their sums too, as ours
does.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from aegis_async import AegisClient
from aegis_async.cli._collector import collected_rarely
from aegis_async.export import _run as _run_of_ours  # noqa: F401 - before the clock starts
from aegis_async.export import export
from aegis_async.export._arrow import warm_up
from aegis_async.export._sinks import _files as _files_of_ours  # noqa: F401 - as above
from aegis_async.export._sinks import _parquet as _parquet_of_ours  # noqa: F401 - as above
from benchmarks import export_bare, export_dlt
from benchmarks.export_account import Account, serve

__all__ = ["main"]

_KIB: Final = 1024
_KEY: Final = "sk_" + "0" * 32
_FETCHED: Final = ("fetched", "kept")
_ROOT: Final = Path(__file__).parents[1]


async def _ours(url: str, out: Path, formats: list[str]) -> None:
    async with AegisClient(_KEY, base_url=url) as client:
        report = await export(client, out, format=formats)
    if report.status != "complete":
        raise SystemExit(f"the export is {report.status}: {report.reason}")


def _contend(name: str, given: argparse.Namespace) -> None:
    """Do the work of one contender, and print what it took."""
    url, out = given.url, given.out
    account = Account(given.collections, given.evaluations) if name == "bare" else None
    warm_up()
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    if account is not None:
        export_bare.decoded(account, out)
    elif name in _FETCHED:
        asyncio.run(export_bare.fetched(url, out, raw=name == "kept"))
    elif name == "dlt":
        export_dlt.run(url, out)
    elif name == "command":
        with collected_rarely():
            asyncio.run(_ours(url, out / "export", ["parquet"]))
    else:
        asyncio.run(_ours(url, out / "export", name.split("+")))
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"cpu": cpu, "seconds": time.perf_counter() - began, "rss": after.ru_maxrss / _KIB}))


def _measured(contenders: list[str], size: list[str]) -> Iterator[tuple[str, dict[str, float]]]:
    command = [sys.executable, "-m", "benchmarks.export", *size]
    with subprocess.Popen(  # noqa: S603 - our own module
        [*command, "--role", "serve"], cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None  # noqa: S101 - a pipe was asked for
        url = server.stdout.readline().strip()
        for name in contenders:
            with tempfile.TemporaryDirectory(prefix="aegis-bench-") as out:
                role = ["--role", name, "--url", url, "--out", out]
                done = subprocess.run([*command, *role], cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - ours
            yield name, json.loads(done.stdout)
        assert server.stdin is not None  # noqa: S101 - as above
        server.stdin.close()


def main() -> None:
    """Measure, and print a table as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.export", description=__doc__)
    parser.add_argument("--collections", type=int, default=1000)
    parser.add_argument("--evaluations", type=int, default=1000, help="of each collection")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--formats",
        nargs="*",
        default=["parquet"],
        help="each a contender, as are fetched, kept, command and dlt; a plus joins several",
    )
    parser.add_argument("--role", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.role:
        if given.role == "serve":
            asyncio.run(serve(Account(given.collections, given.evaluations)))
        else:
            _contend(given.role, given)
        return
    size = ["--collections", str(given.collections), "--evaluations", str(given.evaluations)]
    print("| contender | processor s | seconds | peak MiB |\n|---|--:|--:|--:|")
    for _ in range(given.rounds):
        for name, took in _measured(["bare", *given.formats], size):
            print(f"| {name} | {took['cpu']:.2f} | {took['seconds']:.2f} | {took['rss']:.0f} |", flush=True)


if __name__ == "__main__":
    main()
