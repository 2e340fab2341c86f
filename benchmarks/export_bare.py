"""What an export cannot do without, as anybody would write it who has the schema at hand: the measure for ours.

The same columns as ours, but no commits, no resume, no quarantine and no report; the loop may wait.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from aegis_async.export import TABLES, Table
from aegis_async.models import DataCollection
from benchmarks.export_account import Account

__all__ = ["decoded", "fetched"]

_BATCH: Final = 16 << 20
_AT_ONCE: Final = 8
_PAGE: Final = 100
_TYPES: Final = {
    "int64": pa.int64(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "decimal": pa.decimal128(38, 18),
}
_encode: Final = msgspec.json.encode


def _json(value: Any) -> bytes | None:
    return None if value is None else _encode(value)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


_MADE: Final[dict[str, Callable[[Any], Any]]] = {"json": _json, "decimal_text": _text}


class _Writer:
    """Decodes bodies and writes their rows, sixteen megabytes of bodies at a time.

    Args:
        out: The folder.
        raw: Whether the bodies are kept too, with their sums.
    """

    def __init__(self, out: Path, *, raw: bool) -> None:
        self._out, self._raw = out, raw
        self._decode = msgspec.json.Decoder(DataCollection).decode
        self._batch: list[DataCollection] = []
        self._lines: list[bytes] = []
        self._size = self._number = 0

    def add(self, body: bytes) -> None:
        self._batch.append(self._decode(body))
        if self._raw:
            self._lines.append(b'{"sha256":"%s","body":%s}\n' % (hashlib.sha256(body).hexdigest().encode(), body))
        self._size += len(body)
        if self._size >= _BATCH:
            self.flush()

    def flush(self) -> None:
        self._number += 1
        for table in TABLES:
            rows = pa.table(list(_columns(table, self._batch)), [column.name for column in table.columns])
            pq.write_table(rows, self._out / f"{table.name}-{self._number}.parquet", compression="zstd")
        if self._raw:
            file = pa.OSFile(str(self._out / f"raw-{self._number}.ndjson.zst"), "wb")
            with file, pa.CompressedOutputStream(file, "zstd") as stream:
                stream.write(b"".join(self._lines))
        self._batch, self._lines, self._size = [], [], 0


def _columns(table: Table, batch: Sequence[DataCollection]) -> Iterator[pa.Array]:
    found = [(one.id, _records(table, one)) for one in batch]
    yield pa.array([id_ for id_, records in found for _ in records], pa.int64())
    flat = [record for _, records in found for record in records]
    for column in table.columns[1:]:
        values = list(map(attrgetter(column.field), flat))
        if column.part:
            values = [None if value is None else getattr(value, column.part) for value in values]
        made = _MADE.get(column.kind)
        yield pa.array(list(map(made, values)) if made else values, _TYPES.get(column.kind, pa.string()))


def _records(table: Table, one: DataCollection) -> Sequence[Any]:
    if table.name == "evaluations":
        return [evaluation for run in one.runs for evaluation in run.evaluations]
    return (one,) if table.name == "collections" else getattr(one, table.name)


def decoded(account: Account, out: Path) -> None:
    """Decode bodies that are in memory, and write their columns."""
    writer = _Writer(out, raw=False)
    for id_ in range(1, account.collections + 1):
        writer.add(account.body(id_))
    writer.flush()


async def fetched(url: str, out: Path, *, raw: bool) -> None:
    """Fetch eight at a time with a bare session, decode and write; keep the bodies too if ``raw``."""
    writer = _Writer(out, raw=raw)
    async with aiohttp.ClientSession() as session:
        ids = _Ids(session, url)

        async def work() -> None:
            async for id_ in ids:
                async with session.get(f"{url}/data-collections/{id_}") as answer:
                    writer.add(await answer.read())

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
    writer.flush()


class _Ids:
    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._pages, self._turn = _listed(session, url), asyncio.Lock()

    def __aiter__(self) -> AsyncIterator[int]:
        return self

    async def __anext__(self) -> int:
        async with self._turn:
            return await anext(self._pages)


async def _listed(session: aiohttp.ClientSession, url: str) -> AsyncIterator[int]:
    page: int | None = 1
    while page is not None:
        async with session.get(f"{url}/data-collections", params={"page": page, "page_size": _PAGE}) as answer:
            listing = msgspec.json.decode(await answer.read())
        for item in listing["items"]:
            yield item["id"]
        page = listing["meta"]["next_page"]
