"""Runs one block of Python as a notebook would, with ``await`` outside of a function: ``python run_block.py FILE``."""

import ast
import asyncio
import inspect
import sys
from pathlib import Path

__all__ = ["run"]


def run(code: str) -> None:
    """Run a block to its end."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    result = eval(compile(code, "<block>", "exec", flags=flags), {"__name__": "__main__"})  # noqa: S307 - our own page
    if inspect.iscoroutine(result):
        asyncio.run(result)


if __name__ == "__main__":
    run(Path(sys.argv[1]).read_text(encoding="utf-8"))
