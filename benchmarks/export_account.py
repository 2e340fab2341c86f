"""An account of any size for the benchmark of the export, and a server that answers for it as fast as it can."""

from typing import Any

import msgspec

from aegis_async.sandbox import Sandbox
from benchmarks.bodies import fetched, page_meta
from benchmarks.server import Answers, answer, serve_answers

__all__ = ["Account", "serve"]


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
        ids = range((number - 1) * size + 1, min(number * size, self.collections) + 1)
        items = b",".join(self._item.replace(b'{"id":0', b'{"id":%d' % id_, 1) for id_ in ids)
        return b'{"items":[%b],"meta":%b}' % (items, msgspec.json.encode(page_meta(number, size, self.collections)))


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
    with Sandbox(collections=3) as sandbox:
        found: dict[str, Any] = msgspec.json.decode(fetched(sandbox, "data-collections/1"))
    return found


class _Connection(Answers):
    """One connection.

    Args:
        account: What there is.
    """

    def __init__(self, account: Account) -> None:
        super().__init__({})
        self._account = account

    def found(self, target: bytes) -> bytes:
        """Make a collection or a page."""
        path, _, query = target.decode().partition("?")
        last = path.rpartition("/")[2]
        if last.isdigit():
            return answer(self._account.body(int(last)))
        asked = dict(pair.split("=") for pair in query.split("&"))
        return answer(self._account.page(int(asked["page"]), int(asked["page_size"])))


async def serve(account: Account) -> None:
    """Answer for an account until standard input ends; print the address first."""
    await serve_answers(lambda: _Connection(account))
