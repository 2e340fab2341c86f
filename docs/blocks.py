"""The blocks of code of the pages, and what the comment above one says of how it is run.

Python is run as it stands, and so are a shell's commands. A comment in the line above a block says otherwise:

- ``<!-- file: NAME -->``: it is a file of that name.
- ``<!-- prints -->``: the block of commands before it prints this; an ellipsis stands for anything.
- ``<!-- serves -->``: each line goes on until it is interrupted.
- ``<!-- environment -->``: it makes the reader's own environment, which ``nox -s guides`` does.
- ``<!-- command: NAME -->``: `.ci/run` and nox run it.
- ``<!-- not run: REASON -->``: nothing runs it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["DOCS", "GUIDES", "ROOT", "Block", "blocks", "pages"]

ROOT: Final = Path(__file__).resolve().parents[1]
DOCS: Final = ROOT / "docs"
GUIDES: Final = tuple(sorted((DOCS / "guides").glob("*.md")))
_MARKS: Final = ("file", "prints", "serves", "environment", "command", "not run")
_BLOCK: Final = re.compile(r"^(?:<!-- ([^\n]+) -->\n)?(`{3,})(\w+)\n(.*?)^\2$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a page.

    Attributes:
        page: The page, from the project's folder.
        line: The line of its first fence.
        language: What stands behind the fence.
        code: What is in it.
        mark: What the comment above says that it is, such as ``"file"``; empty where none is there.
        said: What the comment adds, such as the file's name.
    """

    page: str
    line: int
    language: str
    code: str
    mark: str = ""
    said: str = ""


def pages() -> tuple[Path, ...]:
    """Give the README and every page that is written by hand."""
    found = (path for path in sorted(DOCS.rglob("*.md")) if "_build" not in path.parts)
    return (ROOT / "README.md", *found)


def blocks(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page in their order.

    Raises:
        ValueError: A comment says something that is not in the list above.
    """
    text, name = page.read_text(encoding="utf-8"), page.relative_to(ROOT).as_posix()
    for found in _BLOCK.finditer(text):
        mark, _, said = (found[1] or "").partition(": ")
        line = text.count("\n", 0, found.start(2)) + 1
        if mark and mark not in _MARKS:
            raise ValueError(f"{name}:{line}: a block is one of {', '.join(_MARKS)}, not {mark!r}")
        yield Block(name, line, found[3], found[4], mark, said)
