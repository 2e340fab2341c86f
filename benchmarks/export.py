"""``python -m benchmarks.export``: a whole export beside bare decoding and Parquet writing of the same bodies.

Each contender runs in a process of its own and tells its processor time and its largest memory; the server is
another process. The bare contender has the bodies in memory already: no HTTP, no raw bodies, no sums, no commits.
"""

import argparse
import asyncio
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from aegis_async import AegisClient
from aegis_async.cli._collector import collected_rarely
from aegis_async.export import TABLES, export
from aegis_async.models import DataCollection
from aegis_async.sandbox import Sandbox
from benchmarks import export_dlt

__all__ = ["main"]

_BATCH: Final = 16 << 20
_KIB: Final = 1024
_KEY: Final = "sk_" + "0" * 32
_END_OF_HEAD: Final = b"\r\n\r\n"
_ROOT: Final = Path(__file__).parents[1]


class Account:
    """Many collections of one size: each the same document under another id.

    Args:
        collections: How many there are.
        evaluations: How many each has, in runs of a hundred.
    """

    def __init__(self, collections: int, evaluations: int) -> None:
        self.collections = collections
        whole, summary = _documents(evaluations)
        self._body, self._item = msgspec.json.encode(whole), msgspec.json.encode(summary)

    def body(self, id_: int) -> bytes:
        """Give the body of one collection."""
        return self._body.replace(b'{"id":0', b'{"id":%d' % id_, 1)

    def page(self, number: int, size: int) -> bytes:
        """Give one page of the listing."""
        pages = max(1, -(-self.collections // size))
        ids = range((number - 1) * size + 1, min(number * size, self.collections) + 1)
        meta = {
            "current_page": number,
            "page_size": size,
            "total_items": self.collections,
            "items_on_page": len(ids),
            "total_pages": pages,
            "has_next": number < pages,
            "has_previous": number > 1,
            "next_page": number + 1 if number < pages else None,
            "previous_page": number - 1 if number > 1 else None,
        }
        items = b",".join(self._item.replace(b'{"id":0', b'{"id":%d' % id_, 1) for id_ in ids)
        return b'{"items":[%b],"meta":%b}' % (items, msgspec.json.encode(meta))


def _documents(evaluations: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give a full collection and its summary, made of the sandbox's own rows."""
    full = _sample()
    run = next(run for run in full["runs"] if run["evaluations"])
    rows = [dict(run["evaluations"][n % len(run["evaluations"])], id=n + 1) for n in range(evaluations)]
    runs = []
    for start in range(0, evaluations, 100):
        id_ = start // 100 + 1
        ended = {"id": id_, "finished_at": run["started_at"]}
        runs.append({**run, **ended, "evaluations": [{**row, "run_id": id_} for row in rows[start : start + 100]]})
    whole = {**full, "id": 0, "runs": runs}
    listed = [{k: v for k, v in one.items() if k not in {"evaluations", "dataset"}} for one in runs[:5]]
    return whole, {**whole, "runs": listed}


def _sample() -> dict[str, Any]:
    async def asked() -> bytes:
        async with Sandbox(collections=3) as sandbox, AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
            return await client.fetch("/data-collections/1", bytes)

    found: dict[str, Any] = msgspec.json.decode(asyncio.run(asked()))
    return found


class _Answers(asyncio.Protocol):
    def __init__(self, account: Account) -> None:
        self._account = account
        self._received = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *heads, self._received = (self._received + data).split(_END_OF_HEAD)
        for head in heads:
            path, _, query = head.split(b" ", 2)[1].decode().partition("?")
            asked = dict(pair.split("=") for pair in query.split("&") if pair)
            last = path.rpartition("/")[2]
            if last.isdigit():
                body = self._account.body(int(last))
            else:
                body = self._account.page(int(asked["page"]), int(asked["page_size"]))
            head_ = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            self._transport.write(head_ + body)


async def _serve(account: Account) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Answers(account), "127.0.0.1", 0)
    async with server:
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.to_thread(sys.stdin.read)


def _bare(account: Account, out: Path) -> None:
    """Decode every body and write its rows, as anybody would who has the schema at hand."""
    decode = msgspec.json.Decoder(DataCollection).decode
    batch: list[DataCollection] = []
    size = number = 0
    for id_ in range(1, account.collections + 1):
        body = account.body(id_)
        batch.append(decode(body))
        size += len(body)
        if size >= _BATCH or id_ == account.collections:
            number += 1
            _write(batch, out, number)
            batch, size = [], 0


def _write(batch: list[DataCollection], out: Path, number: int) -> None:
    runs = [run for one in batch for run in one.runs]
    records: dict[str, list[Any]] = {
        "collections": list(batch),
        "datasets": [dataset for one in batch for dataset in one.datasets],
        "runs": runs,
        "evaluations": [evaluation for run in runs for evaluation in run.evaluations],
    }
    for table in TABLES:
        plain = [c.name for c in table.columns if c.kind in _PLAIN and hasattr(table.record, c.name)]
        columns = {name: list(map(attrgetter(name), records[table.name])) for name in plain}
        for column in table.columns:
            if column.kind == "json":
                values = map(attrgetter(column.name), records[table.name])
                columns[column.name] = [None if v is None else msgspec.json.encode(v).decode() for v in values]
        pq.write_table(pa.table(columns), out / f"{table.name}-{number}.parquet", compression="zstd")


_PLAIN: Final = frozenset({"int64", "float64", "text", "bool", "timestamp", "decimal"})


async def _ours(url: str, out: Path, formats: list[str]) -> None:
    async with AegisClient(_KEY, base_url=url) as client:
        report = await export(client, out, format=formats)
    if report.status != "complete":
        raise SystemExit(f"the export is {report.status}: {report.reason}")


def _contend(name: str, account: Account, url: str, out: Path) -> None:
    """Do the work of one contender, and print what it took."""
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    if name == "bare":
        _bare(account, out)
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
            out = Path(tempfile.mkdtemp(prefix="aegis-bench-"))
            role = ["--role", name, "--url", url, "--out", str(out)]
            done = subprocess.run([*command, *role], cwd=_ROOT, capture_output=True, text=True, check=True)  # noqa: S603
            shutil.rmtree(out)
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
        help="each a contender, as are command and dlt; a plus joins several",
    )
    parser.add_argument("--role", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.role:
        account = Account(given.collections, given.evaluations)
        if given.role == "serve":
            asyncio.run(_serve(account))
        else:
            _contend(given.role, account, given.url, given.out)
        return
    size = ["--collections", str(given.collections), "--evaluations", str(given.evaluations)]
    print("| contender | processor s | seconds | peak MiB |\n|---|--:|--:|--:|")
    for _ in range(given.rounds):
        for name, took in _measured(["bare", *given.formats], size):
            print(f"| {name} | {took['cpu']:.2f} | {took['seconds']:.2f} | {took['rss']:.0f} |", flush=True)


if __name__ == "__main__":
    main()
