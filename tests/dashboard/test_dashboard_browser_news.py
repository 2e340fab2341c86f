"""An open tab in a real browser: what changes appears, and what goes wrong is said."""

from functools import partial
from pathlib import Path

import pytest

from aegis_async import AegisClient
from aegis_async.dashboard import ExportSource
from aegis_async.sandbox import Sandbox
from tests.dashboard.chromium import Page
from tests.dashboard.shown import BUSIEST, PICTURES, RUNS, everything
from tests.dashboard.standing import over, serving
from tests.dashboard.test_dashboard_exported import exported
from tests.dashboard.test_dashboard_live import answered

pytestmark = pytest.mark.browser


def test_a_change_in_the_service_appears_by_itself(page: Page, url: str, account: Sandbox) -> None:
    """Without a reload, an open tab shows the new run, and an open drill-down too."""
    everything(page, url)
    page.run("window.sameTab = true; location.hash = arguments[0]", f"#collection={BUSIEST['id']}")
    page.until("return document.querySelectorAll('#drill tbody tr').length === arguments[0]", len(BUSIEST["runs"]))

    account.change(BUSIEST["id"])
    page.until("return document.querySelectorAll('#drill tbody tr').length === arguments[0]", len(BUSIEST["runs"]) + 1)
    page.until("return document.querySelector('#tiles dd').innerText === arguments[0]", f"{len(RUNS) + 1:,}")

    assert page.run("return window.sameTab")


def test_a_tab_too_many_for_events_asks_for_the_state(
    page: Page, account: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no more streams are given, a tab shows the numbers all the same."""
    monkeypatch.setattr("aegis_async.dashboard._events._MOST", 0)

    with over(account) as url:
        page.driver.get(url)
        page.until("return document.querySelector('#tiles dd') !== null")
        page.until(
            "return ['Live', 'Loading'].some(word => document.querySelector('#status-text').innerText.startsWith(word))"
        )
        page.driver.get("about:blank")
    complaints = page.complaints()

    assert complaints
    assert all("503" in each for each in complaints)


def test_an_outage_is_said_and_takes_nothing_away(page: Page, url: str, account: Sandbox) -> None:
    """The banner says what is wrong and how old the numbers are; they stay, and so does what was opened before."""
    everything(page, url)
    page.run("location.hash = '#collection=14'")
    page.until("return document.querySelector('#drill').open")
    page.run("document.querySelector('#drill-close').click()")

    account.fail(status=503, times=None)
    page.until("return !document.querySelector('#banner').hidden")
    said, tiles = page.text("#banner"), page.tiles()
    page.picture(PICTURES / "down.png")
    page.run("location.hash = '#collection=14'")
    page.until("return document.querySelectorAll('#drill tbody tr').length === 1")
    account.clear_faults()
    page.until("return document.querySelector('#banner').hidden")

    assert said.startswith("The service answers with an error (503). The numbers below are from ")
    assert f"{len(RUNS):,}" == tiles["Runs"]
    assert "Live" == page.text("#status-text")


def test_old_numbers_are_said_to_be_old(page: Page, url: str, account: Sandbox) -> None:
    """A collection that changed and cannot be read anew is named as old, in the banner and where it is opened."""
    everything(page, url)
    page.run("location.hash = '#collection=3'")
    page.until("return document.querySelector('#drill').open")

    account.fail("/data-collections/3", status=500, times=None)
    account.change(3)
    page.until("return document.querySelector('#status').dataset.status === 'stale'")
    said = page.text("#banner")
    page.run("location.hash = '#collection=3&page=1'")
    note = page.until("return document.querySelector('#drill .note')?.innerText")
    page.picture(PICTURES / "stale.png")
    account.clear_faults()
    page.until("return document.querySelector('#banner').hidden")

    assert "1 collection could not be read anew; what is shown of it is old." == said
    assert note.startswith("Read from the service ")


def test_a_listing_that_cannot_be_read_is_said(
    page: Page, url: str, account: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pings may be answered: as long as changes are not seen, the page does not call itself live."""
    everything(page, url)

    monkeypatch.setattr(AegisClient, "ping", answered)
    account.fail("/data-collections", status=503, times=None)
    page.until("return document.querySelector('#status').dataset.status === 'stale'")
    said, word = page.text("#banner"), page.text("#status-text")
    page.picture(PICTURES / "unseen.png")
    account.clear_faults()
    page.until("return document.querySelector('#banner').hidden")

    assert said.startswith("Changes are not seen at present. The service answers with an error (503). The numbers")
    assert word.startswith("Not up to date · ")
    assert "Live" == page.text("#status-text")


def test_numbers_that_the_dashboard_cannot_make_are_said_not_to_be_there(page: Page, tmp_path: Path) -> None:
    """Its own refusal is no outage of its server: the banner says which, and what was shown stays."""
    out = exported(tmp_path / "OUT", 40)

    with serving(partial(ExportSource, out)) as url:
        everything(page, url)
        for part in (out / "runs").glob("*.parquet"):
            part.unlink()
        page.choose("days", "30")
        page.choose("span", "month")
        page.run("document.querySelector('#search').value = 'x'")
        page.run("document.querySelector('#search').dispatchEvent(new Event('input'))")
        said = page.until("return document.querySelector('#banner').innerText")
        tiles = page.tiles()
        page.driver.get("about:blank")
    complaints = page.complaints()

    assert "These numbers could not be read anew: the service does not answer as it should; try again later." == said
    assert int(tiles["Runs"])
    assert all("503" in each for each in complaints)


def test_a_stopped_dashboard_is_said_too(tab: Page) -> None:
    """When its own server goes, an open tab keeps its numbers and says so; what the browser complains of is that."""
    with Sandbox(collections=40) as account:
        with over(account) as url:
            everything(tab, url)
        tab.until("return document.querySelector('#status-text').innerText.startsWith('Disconnected')")
        tiles = tab.tiles()
    complaints = tab.complaints()

    assert f"{len(RUNS):,}" == tiles["Runs"]
    assert all("net::ERR_" in each for each in complaints)
