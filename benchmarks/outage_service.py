"""A sandbox to be killed: ``python -m benchmarks.outage_service PORT COLLECTIONS CHANGED``.

It prints its address, its key and the instant from which it listens; collection CHANGED (0 for none) has one
run more than at first. Each line that it reads it answers with the instants and paths of all requests so far, as JSON.
"""

import json
import sys
import time

from aegis_async.sandbox import Sandbox

__all__: list[str] = []


def _serve(port: int, collections: int, changed: int) -> None:
    sandbox = Sandbox(port=port, collections=collections)
    if changed:
        sandbox.change(changed)
    with sandbox:
        print(sandbox.url, sandbox.api_key, time.monotonic(), flush=True)
        for _ in sys.stdin:
            print(json.dumps([(request.at, request.path) for request in sandbox.requests]), flush=True)


if __name__ == "__main__":
    _serve(*map(int, sys.argv[1:]))
