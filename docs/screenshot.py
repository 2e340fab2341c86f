"""Take the picture of the page about the dashboard: ``python -m docs.screenshot``, where Chromium is installed."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from tests.dashboard.chromium import browsing

__all__ = ["PICTURE", "main"]

PICTURE: Final = Path(__file__).parent / "_static" / "dashboard.png"
_COMMAND: Final = (sys.executable, "-m", "aegis_async", "dashboard", "--sandbox", "--port", "0")


def main() -> None:
    """Start the dashboard over a sandbox, wait until it has read everything, and keep what one sees first."""
    with subprocess.Popen(_COMMAND, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        try:
            assert process.stderr is not None  # noqa: S101 - asked for above
            url = next(word for line in process.stderr for word in line.split() if word.startswith("http")).rstrip(";")
            asyncio.run(_read(url))
            with browsing() as page:
                page.resize(1180, 1010)
                page.open(url)
                page.picture(PICTURE)
        finally:
            process.terminate()


async def _read(url: str) -> None:
    while json.loads(await asyncio.to_thread(_asked, f"{url}api/health"))["status"] != "live":  # noqa: ASYNC110 - of another process
        await asyncio.sleep(0.1)


def _asked(url: str) -> bytes:
    with urlopen(url) as response:  # noqa: S310 - our own server on loopback
        answer: bytes = response.read()
        return answer


if __name__ == "__main__":
    main()
