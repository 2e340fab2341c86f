"""What is refused before anything is fetched: wrong arguments, foreign folders, packages that are not installed."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import pytest

from aegis_async import AegisClient
from aegis_async.errors import ExportError, InvalidArgumentError
from aegis_async.export import export
from aegis_async.export._target import formats_of
from aegis_async.sandbox import Sandbox
from tests.export.folders import Held, files, ids


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"format": "xml"}, "^format must be one of 'parquet', 'ndjson', .* not 'xml'$"),
        ({"format": ()}, "^format must name at least one of parquet, ndjson, "),
        ({"format": 7}, "^format must be one name or several, not int$"),
        ({"format": [["csv"]]}, r"^format must be one of 'parquet', .* not \['csv'\]$"),
        ({"format": "postgres", "to": 7}, "^to must begin with postgresql:// or postgres://$"),
        ({"progress": 7}, "^progress must be callable or None, not 7$"),
        ({"to": "postgresql://host/name"}, "^to is for the format postgres, which is not asked for$"),
        ({"ids": "123"}, "^ids must be an iterable of integers, not str$"),
        ({"ids": 5}, "^ids must be an iterable of integers, not int$"),
        ({"ids": [1, "2"]}, "^ids must be an iterable of integers, not of str$"),
        ({"ids": [True]}, "^ids must be an iterable of integers, not of bool$"),
        ({"ids": [[1]]}, "^ids must be an iterable of integers, not of list$"),
        ({"concurrency": 0}, "^concurrency must be at least 1, not 0$"),
        ({"deleted": "maybe"}, "^deleted must be one of 'keep', 'drop', not 'maybe'$"),
        ({"max_outage": float("nan")}, "^max_outage must be a number of seconds from 0, not nan$"),
        ({"batch_bytes": 0}, "^batch_bytes must be at least 1, not 0$"),
        ({"shared": "yes"}, "^shared must be True, False or None, not 'yes'$"),
    ],
)
async def test_a_wrong_argument_is_refused_before_anything_is_made(
    refused: Callable[..., Awaitable[str]], arguments: dict[str, Any], words: str
) -> None:
    """The error names the argument; there is no request and no folder."""
    assert re.search(words, await refused(**arguments))


async def test_a_foreign_folder_is_refused_before_any_request(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Nothing is fetched for a folder that cannot be used."""
    (tmp_path / "thesis.txt").touch()

    with pytest.raises(InvalidArgumentError, match="holds other files"):
        await export(client, tmp_path)

    assert [] == sandbox.requests
    assert {"thesis.txt"} == files(tmp_path)


async def test_two_exports_into_one_folder_do_not_meet(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """The second is refused at once, the first ends as if it had been alone."""
    sandbox.fail("/data-collections/4", delay=float("inf"))
    held = Held(3)
    first = asyncio.create_task(export(client, tmp_path, concurrency=1, progress=held))
    await held.reached.wait()

    with pytest.raises(ExportError, match="held by another export"):
        await export(client, tmp_path)

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert [1, 2, 3] == ids(tmp_path)


async def test_without_pyarrow_one_sentence_has_the_command(
    client: AegisClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The extra is named, and no folder is made."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ExportError) as caught:
        await export(client, tmp_path / "out")

    command = 'pip install "aegis-async[export]"'
    assert f"this export needs pyarrow, which is not installed: {command}" == str(caught.value)
    assert not (tmp_path / "out").exists()


_WHERE_IT_IMPORTS: Final = """
import asyncio, sys, tempfile, threading

class Seen:
    def find_spec(self, name, *_):
        if name.startswith(("pandas", "pyarrow", "numpy", "aegis_async.export._run")):
            seen.add(threading.current_thread() is threading.main_thread())

from aegis_async import AegisClient
from aegis_async.export import export

async def main():
    async with AegisClient() as client:
        await export(client, tempfile.mkdtemp())

seen = set()
sys.meta_path.insert(0, Seen())
asyncio.run(main())
print(seen)
"""


def test_what_is_slow_to_import_is_imported_in_a_thread() -> None:
    """The loop waits neither for pyarrow nor for pandas, which that imports where it is installed."""
    with Sandbox(collections=2) as sandbox:
        environment = {**os.environ, **sandbox.env}
        command = [sys.executable, "-c", _WHERE_IT_IMPORTS]
        ended = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours

    assert "{False}\n" == ended.stdout


def test_pyarrow_is_not_imported_before_an_export_begins() -> None:
    """Importing the module costs nobody the time of an extra that may be missing."""
    program = "import sys, aegis_async.export; sys.exit('pyarrow' in sys.modules)"

    ended = subprocess.run([sys.executable, "-c", program], check=False)  # noqa: S603 - a program of ours

    assert 0 == ended.returncode


@pytest.mark.parametrize(
    "to",
    ["postgresql:///name", "postgresql://me:p%40ss@a:1,b:2/name", "postgres://host/name?password=%26&sslmode=require"],
)
def test_an_address_may_be_whatever_the_driver_takes(to: str) -> None:
    """Without a host, with several, and with parameters."""
    assert ("postgres",) == formats_of("postgres", to)


@pytest.mark.parametrize("to", [None, "mysql://somewhere"])
async def test_a_database_at_an_address_needs_one(client: AegisClient, tmp_path: Path, to: str | None) -> None:
    """The error names the argument before anything is made."""
    with pytest.raises(InvalidArgumentError, match="^to must be"):
        await export(client, tmp_path / "out", format="postgres", to=to)

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "to",
    [
        "postgresql://me:hun/ter2@host/name",
        "postgresql://me:hun?ter2@host/name",
        "postgresql://me:hun\N{ACCOUNT OF}ter2@host/name",
        "postgresql://me@host/name?password=hun%ter2",
        "postgresql://me@host/name?password=hun ter2&sslmode=require",
        "postgresql://me@host/name?password=hun&ter2",
        "postgresql://me@host/name?password=hun=ter2",
    ],
)
async def test_an_address_that_hides_its_password_badly_is_not_repeated(
    client: AegisClient, tmp_path: Path, to: str
) -> None:
    """A / that is not escaped makes a path of the rest of it, and the driver quotes what it cannot read."""
    with pytest.raises(InvalidArgumentError, match="^to must be") as caught:
        await export(client, tmp_path / "out", format="postgres", to=to)

    assert "ter2" not in f"{caught.value!r} {caught.value.__cause__} {caught.value.__context__}"
    assert not (tmp_path / "out").exists()
