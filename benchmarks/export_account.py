"""An account of any size for the benchmark of the export, and a server that answers for it as fast as it can."""

import asyncio
import sys
from typing import Any, Final

import msgspec

from aegis_async import AegisClient
from aegis_async.sandbox import Sandbox

__all__ = ["Account", "serve"]

_END_OF_HEAD: Final = b"\r\n\r\n"


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


async def serve(account: Account) -> None:
    """Answer for an account until standard input ends; print the address first."""
    server = await asyncio.get_running_loop().create_server(lambda: _Answers(account), "127.0.0.1", 0)
    async with server:
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.to_thread(sys.stdin.read)
