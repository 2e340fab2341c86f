"""Follows a page from top to bottom as a reader does: ``python -m docs.follow PAGE FOLDER WHEEL``.

All blocks go through one bash, so that what one sets the next one has. Where the page shows what is printed, that must
be printed. Only the standard library is needed; what the page needs, it installs itself. The one word that is another:
pip is given the wheel where the page would take the package from the index.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from shlex import quote
from types import MappingProxyType
from typing import Final

from docs.blocks import ROOT, Block, blocks

__all__ = ["DidNotHoldError", "follow", "script"]

_EDGE: Final = "\x1e"  # between what two blocks print
_END: Final = "END_OF_BLOCK"
_HEAD: Final = """\
set -euo pipefail
exec 2>&1
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
serves() {
    "$@" >served.log 2>&1 &
    until grep -q http served.log; do kill -0 $!; sleep 0.1; done
    kill -TERM $!
    wait $! || [ $? -eq 143 ]
}
"""
_HANGS: Final = 600.0  # seconds after which a page does


class DidNotHoldError(Exception):
    """A page does not do what it says."""


def follow(
    page: Path,
    folder: Path,
    env: Mapping[str, str],
    *,
    package: str | None = None,
    replaced: Mapping[str, str] = MappingProxyType({}),
) -> int:
    """Run the blocks of a page in a folder, and give how many were run.

    Args:
        page: What to follow.
        folder: Where to.
        env: The environment.
        package: What pip is given where the page says ``aegis-async``, as the page makes its environment; the present
            environment will do when None.
        replaced: Words that are others here, such as a port that somebody else may have.

    Raises:
        DidNotHoldError: A block failed, or printed something else than the page shows.
    """
    found = [block for block in blocks(page) if _runs(block, fresh=package is not None)]
    commands = script(found, package or "")
    for word, other in replaced.items():
        commands = commands.replace(word, other)
    status, output = _run(commands, folder, env)
    printed = output.split(f"{_EDGE}\n")[1:]
    if status:
        at = found[len(printed) - 1] if printed else None
        where = f"{at.page}:{at.line}" if at else page.name
        raise DidNotHoldError(f"{where}: ended with {status}:\n{output}")
    for (block, said), (shown, _) in pairwise(zip(found, printed, strict=True)):
        if shown.mark == "prints":
            _compare(block, shown, said)
    return len(found)


def script(found: Iterable[Block], package: str) -> str:
    """Give the blocks as one script of bash."""
    return _HEAD + "".join(f"echo {quote(_EDGE)}\n{_commands(block, package)}" for block in found)


def _run(commands: str, folder: Path, env: Mapping[str, str]) -> tuple[int, str]:
    """Give the exit status and all that is printed; nothing that was begun is left."""
    with subprocess.Popen(  # noqa: S603 - our own page
        ["bash", "-c", commands],  # noqa: S607 - the reader's
        cwd=folder,
        env=dict(env),
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as bash:
        try:
            output, _ = bash.communicate(timeout=_HANGS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(bash.pid, signal.SIGKILL)
    return bash.returncode, output


def _runs(block: Block, *, fresh: bool) -> bool:
    if block.mark in {"not run", "command"} or (block.mark == "environment" and not fresh):
        return False
    return bool(block.mark) or block.language in {"python", "sh"}


def _commands(block: Block, package: str) -> str:
    """Give what runs one block."""
    if block.mark in _MARKED:
        return _MARKED[block.mark](block, package)
    if "def test_" in block.code:
        name = f"test_line_{block.line}.py"
        return f"{_written(block, name)}python -m pytest -q {name}\n"
    if block.language == "python":
        return f"python {quote(str(ROOT / 'docs' / 'run_block.py'))} /dev/stdin <<'{_END}'\n{block.code}{_END}\n"
    return block.code


def _written(block: Block, name: str) -> str:
    return f"cat >{quote(name)} <<'{_END}'\n{block.code}{_END}\n"


def _served(block: Block) -> str:
    return "".join(f"serves {line}\n" for line in block.code.splitlines() if line.strip())


_MARKED: Final[Mapping[str, Callable[[Block, str], str]]] = MappingProxyType(
    {
        "prints": lambda _block, _package: "",
        "environment": lambda block, package: block.code.replace("aegis-async", package),
        "file": lambda block, _package: _written(block, block.said),
        "serves": lambda block, _package: _served(block),
    }
)


def _compare(block: Block, shown: Block, printed: str) -> None:
    expected = r"[\s\S]*?".join(re.escape(part) for part in shown.code.rstrip().split("…"))
    if not re.fullmatch(expected, _plain(printed)):
        raise DidNotHoldError(
            f"{shown.page}:{shown.line}: the block of line {block.line} prints\n{printed}\nand not\n{shown.code}"
        )


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines())


if __name__ == "__main__":
    _page, _folder, _package = sys.argv[1:]
    _env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        _count = follow(Path(_page).resolve(), Path(_folder), _env, package=_package)
    except DidNotHoldError as error:
        sys.exit(str(error))
    sys.stdout.write(f"{_page}: {_count} blocks did what the page says\n")
