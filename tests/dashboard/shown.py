"""What the tests in a browser look at: an account of forty collections, and the page that shows all of it."""

from pathlib import Path
from typing import Final

from tests.dashboard.chromium import Page
from tests.dashboard.serving import documents

__all__ = ["BUSIEST", "PICTURES", "RUNS", "everything"]

PICTURES: Final = Path(__file__).parents[2] / "build" / "screenshots"
ACCOUNT: Final = documents(40)
RUNS: Final = [run for collection in ACCOUNT for run in collection["runs"]]
BUSIEST: Final = max(ACCOUNT, key=lambda each: len(each["runs"]))


def everything(page: Page, url: str) -> None:
    """Open the page, choose all runs, and wait until all of them are there."""
    page.open(url)
    page.choose("days", "")
    wanted = f"{len(RUNS):,}"
    page.until("return document.querySelector('#tiles dd')?.innerText === arguments[0]", wanted)
    page.until("return ['live', 'export'].includes(document.querySelector('#status').dataset.status)")
