"""Records an export in a terminal: ``python -m docs.pictures.terminal`` runs one and writes the picture beside it.

What is shown was printed: once while the bar was moving, and once at the end. Times differ from run to run.
"""

import os
import pty
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console
from rich.text import Text

__all__ = ["COMMAND", "FILE", "drawn", "main", "screen"]

FILE: Final = Path(__file__).with_name("export-terminal.svg")
COMMAND: Final = "aegis-async export out --sandbox"
_WIDTH: Final = 100
_SHOWN: Final = 0.6  # of the collections are there when the first picture is taken
_DONE: Final = re.compile(r"(\d+)/(\d+)")
_REDRAWN: Final = re.compile(r"[\r\n]|\x1b\[\d*[AK]")
_STEP: Final = re.compile(r"\x1b\[(\d*)([AK])|\x1b\[\?\d+[hl]|(\r)|(\n)|((?:\x1b\[[\d;]*m|[^\x1b\r\n])+)")
_FONT: Final = re.compile(r"@font-face\s*\{[^}]*\}\s*")


def screen(printed: str) -> list[str]:
    """Give the lines that stand on a terminal after all of this was printed, with their colours.

    It knows what a progress bar needs: back to the line's beginning, lines up, lines erased.
    """
    lines, row, at_start = [""], 0, True
    for step in _STEP.finditer(printed):
        count, command, back, feed, text = step.groups()
        if feed:
            row, at_start = row + 1, True
            lines += [""] * (row + 1 - len(lines))
        elif back:
            at_start = True
        elif command == "A":
            row = max(0, row - int(count or 1))
        elif command == "K":
            lines[row] = ""
        elif text:
            lines[row] = text if at_start else lines[row] + text
            at_start = False
    return lines


def drawn(running: list[str], ended: list[str]) -> str:
    """Give both moments as one picture."""
    console = Console(file=StringIO(), record=True, width=_WIDTH, force_terminal=True, color_system="truecolor")
    console.print(Text(f"$ {COMMAND}", style="bold"))
    for line in running:
        console.print(Text.from_ansi(line), no_wrap=True, overflow="crop")
    console.print(Text("… and at the end:", style="dim italic"))
    for line in ended:
        console.print(Text.from_ansi(line), no_wrap=True, overflow="crop")
    # The font would be asked of a server; the reader's own monospaced one will do.
    return _FONT.sub("", console.export_svg(title="an export of a made-up account", unique_id="export"))


def main() -> None:
    """Run the export in a terminal of its own, and keep what one sees."""
    with TemporaryDirectory() as folder:
        printed = _recorded(Path(folder))
    end = next(found.end() for found in _DONE.finditer(printed) if _far(found))
    running = [line for line in screen(printed[:end] + _REDRAWN.split(printed[end:])[0]) if line]
    ended = screen(printed)
    while not ended[-1].strip():
        ended.pop()
    FILE.write_text(drawn(running[-1:], ended), encoding="utf-8")


def _far(found: re.Match[str]) -> bool:
    return int(found[1]) >= _SHOWN * int(found[2])


def _recorded(folder: Path) -> str:
    """Give all that the command prints on a terminal."""
    ours, theirs = pty.openpty()
    bin_ = str(Path(sys.executable).parent)
    env = {**os.environ, "COLUMNS": str(_WIDTH), "LINES": "40", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    env["PATH"] = f"{bin_}{os.pathsep}{env['PATH']}"
    pieces = bytearray()
    with subprocess.Popen(COMMAND.split(), cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=env) as running:  # noqa: S603 - our own command
        os.close(theirs)
        try:
            while piece := os.read(ours, 65_536):
                pieces += piece
        except OSError:  # which is how the end of a terminal reads
            pass
        finally:
            os.close(ours)
        if running.wait():
            raise SystemExit(pieces.decode())
    return pieces.decode().replace("\r\n", "\n")


if __name__ == "__main__":
    main()
