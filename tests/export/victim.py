"""An export in a process of its own that kills itself at a step: ``victim.py OUT FORMAT TO STEP new|full``.

Steps are the moments right before and right after a change on the disk or in a database. Without a step to die
at, it prints how many there were.
"""

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aegis_async import AegisClient
from aegis_async.export import export

_steps = itertools.count(1)
_last = 0


def _step(deadly: int) -> None:
    global _last  # noqa: PLW0603 - a script
    _last = next(_steps)
    if _last == deadly:
        os.kill(os.getpid(), signal.SIGKILL)


def _around(owner: Any, name: str, deadly: int) -> None:
    original: Callable[..., Any] = getattr(owner, name)

    def stepped(*args: Any, **kwargs: Any) -> Any:
        _step(deadly)
        result = original(*args, **kwargs)
        _step(deadly)
        return result

    setattr(owner, name, stepped)


def _instrument(format_: str, deadly: int) -> None:
    for owner, name in ((os, "fsync"), (Path, "replace"), (Path, "hardlink_to"), (Path, "unlink")):
        _around(owner, name, deadly)
    if format_ == "sqlite":
        from aegis_async.export._sinks import _sqlite  # noqa: PLC0415 - only what is asked for

        _around(_sqlite._Sqlite, "execute", deadly)
        _around(_sqlite._Sqlite, "insert", deadly)
    if format_ == "duckdb":
        from aegis_async.export._sinks import _duckdb  # noqa: PLC0415 - as above

        for name in ("execute", "insert", "publish"):
            _around(_duckdb._DuckDB, name, deadly)
    if format_ == "postgres":
        from aegis_async.export._sinks import _postgres  # noqa: PLC0415 - as above

        _around(_postgres._Postgres, "execute", deadly)
        _around(_postgres._Postgres, "insert", deadly)
    if format_ == "delta":
        from aegis_async.export._sinks import _delta  # noqa: PLC0415 - as above

        for name in ("_replace", "_set_pass"):
            _around(_delta._Delta, name, deadly)


async def _main(out: str, format_: str, to: str, mode: str) -> None:
    async with AegisClient() as client:
        await export(client, out, format=format_, to=to or None, batch_bytes=1, concurrency=2, full=mode == "full")
    sys.stdout.write(str(_last))


if __name__ == "__main__":
    place, kind, address, last_step, passing = sys.argv[1:]
    _instrument(kind, int(last_step))
    asyncio.run(_main(place, kind, address, passing))
