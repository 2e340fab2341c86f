"""The command on a disk that holds up the first part of a table: ``slow_disk.py until-signal|for-ever ARGUMENTS``."""

import sys
import threading
from typing import Any

from aegis_async.cli import _process, main
from aegis_async.export._store import LocalStore

_let_go = threading.Event()


def _hold_up_the_disk() -> None:
    put = LocalStore.put

    def held(store: LocalStore, path: str, data: Any) -> None:
        if path.startswith("collections/") and not _let_go.is_set():
            sys.stderr.write("the disk holds a part up\n")
            sys.stderr.flush()
            _let_go.wait()
        put(store, path, data)

    LocalStore.put = held  # type: ignore[method-assign, assignment]  # a script


def _let_go_at_a_signal() -> None:
    begin_end = _process._Supervisor._begin_end

    def begun(supervisor: Any) -> None:
        begin_end(supervisor)
        _let_go.set()

    _process._Supervisor._begin_end = begun  # type: ignore[method-assign, assignment]  # a script


if __name__ == "__main__":
    mode, *arguments = sys.argv[1:]
    _hold_up_the_disk()
    if mode == "until-signal":
        _let_go_at_a_signal()
    else:
        _process._GRACE = 0.0  # type: ignore[misc]  # a test waits for nothing
    sys.exit(main(arguments))
