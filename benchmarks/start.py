"""How long things take to begin: imports, the command line's help, its first result."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Final, TypeAlias

import msgspec

from aegis_async.sandbox import Sandbox

__all__ = ["Begins", "Begun", "measure"]

_ROOT: Final = Path(__file__).parents[1]
_FIRST: Final = (
    "import asyncio, aiohttp, msgspec, sys\n"
    "async def first(url, key):\n"
    "    async with aiohttp.ClientSession(headers={'Authorization': 'Bearer ' + key}) as session:\n"
    "        async with session.get(url + '/data-collections?page_size=1') as answer:\n"
    "            print(msgspec.json.decode(await answer.read())['items'][0])\n"
    "asyncio.run(first(*sys.argv[1:]))"
)

_COMMANDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "the interpreter": ("-c", "pass"),
        "import aiohttp": ("-c", "import aiohttp"),
        "import aiohttp, msgspec, tenacity": ("-c", "import aiohttp, msgspec, tenacity"),
        "from aegis_async import AegisClient": ("-c", "from aegis_async import AegisClient"),
        "aegis-async --help": ("-m", "aegis_async", "--help"),
        "aegis-async list --limit 1": ("-m", "aegis_async", "list", "--limit", "1"),
        "the same with aiohttp and msgspec": ("-c", _FIRST, "{url}", "{key}"),
    }
)


class Begun(msgspec.Struct, frozen=True, array_like=True):
    """One process from its start to its end.

    Attributes:
        wall: Seconds.
        cpu: Seconds of CPU time.
    """

    wall: float
    cpu: float


Begins: TypeAlias = dict[str, list[Begun]]
"""By command."""


def measure(rounds: int) -> Begins:
    """Start each command so often, in turn, after a round that fills the caches of files and bytecode."""
    begins: Begins = {name: [] for name in _COMMANDS}
    with Sandbox() as sandbox, TemporaryDirectory() as bytecode:
        environment = {**os.environ, **sandbox.env, "PYTHONPYCACHEPREFIX": bytecode}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode
        for _ in range(rounds + 1):
            for name, command in _COMMANDS.items():
                begins[name].append(_begun(command, sandbox, environment))
    return {name: measured[1:] for name, measured in begins.items()}


def _begun(command: tuple[str, ...], sandbox: Sandbox, environment: Mapping[str, str]) -> Begun:
    line = [part.format(url=sandbox.url, key=sandbox.api_key) if part[0] == "{" else part for part in command]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(  # noqa: S603 - the table above
        [sys.executable, *line], cwd=_ROOT, env=environment, stdout=subprocess.DEVNULL, check=True
    )
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Begun(wall, cpu)
