"""The page in a real browser: what it shows, how it is used, and what it survives."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from aegis_async.dashboard import ExportSource, Source, write_report
from aegis_async.sandbox import Sandbox
from tests.dashboard.chromium import PHONE, Page
from tests.dashboard.fixed import HOSTILE, FixedSource, hostile_book
from tests.dashboard.serving import collection_facts, run_facts
from tests.dashboard.shown import BUSIEST, PICTURES, RUNS, everything
from tests.dashboard.standing import over, serving
from tests.dashboard.test_dashboard_exported import exported

pytestmark = pytest.mark.browser


def test_its_numbers_are_the_sandbox_s_own_sums(page: Page, url: str) -> None:
    """The tiles show what one counts in the JSON that the sandbox sends."""
    judged = [run for run in RUNS if run["result"] is not None]
    passed = [run for run in judged if run["is_gte_threshold"]]
    costs = [Decimal(one["evaluation_cost"] or 0) for run in RUNS for one in run["evaluations"]]

    everything(page, url)
    tiles = page.tiles()
    page.picture(PICTURES / "light.png", whole=True)

    assert f"{len(RUNS):,}" == tiles["Runs"]
    assert f"{100 * len(passed) / len(judged):.1f} %" == tiles["Runs passed"]
    assert f"{sum(costs):,.2f}" == tiles["Cost"]
    assert "Live" == page.text("#status-text")


def test_models_and_failures_are_the_sandbox_s_own(page: Page, url: str) -> None:
    """Each model has a row with its rate, and each failed run stands in the list."""
    judged = [run for run in RUNS if run["result"] is not None]
    failed = {run["id"] for run in judged if not run["is_gte_threshold"]}

    everything(page, url)
    rows = page.run(
        "return [...document.querySelectorAll('#models tbody th')].map(e => [e.children[0].innerText, e.title])"
    )
    links = page.run("return [...document.querySelectorAll('#below a')].map(e => e.hash)")

    for model in {run["model_slug"] for run in RUNS}:
        verdicts = [run["is_gte_threshold"] for run in judged if run["model_slug"] == model]
        plural = "run" if len(verdicts) == 1 else "runs"
        name = model or "no model"
        assert [name, f"{name}: {sum(verdicts)} of {len(verdicts)} {plural} passed"] in rows
    assert failed == {int(link.rpartition("=")[2]) for link in links}


def test_a_period_and_a_span_change_every_picture(page: Page, url: str) -> None:
    """Thirty days by day: the range, the columns and the tiles follow."""
    everything(page, url)

    page.choose("days", "30")
    page.choose("span", "day")
    page.until("return document.querySelector('#models-title').innerText === 'Pass rate by model and day'")

    assert int(page.tiles()["Runs"]) < len(RUNS)
    assert page.run("return document.querySelectorAll('#models thead th').length") <= 31


def test_charts_can_be_read_as_tables(page: Page, url: str) -> None:
    """Each chart has its numbers beside it for who cannot see it, and its lines can be switched off."""
    everything(page, url)

    page.run("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    page.until("return document.querySelectorAll('details table').length === 3")
    page.run("document.querySelector('#scores .legend button').click()")

    assert "false" == page.run("return document.activeElement.getAttribute('aria-pressed')")
    assert page.run("return document.querySelectorAll('.chart canvas').length") == 3
    assert all(page.run("return [...document.querySelectorAll('.chart')].map(e => e.getAttribute('aria-label'))"))


def test_every_score_is_inside_its_chart(page: Page) -> None:
    """A score is what the service says, be it below zero or above a hundred."""
    runs = [run_facts(24 * day, scores={"low": -20.0, "high": 250.0}) for day in range(3)]

    @asynccontextmanager
    async def opened() -> AsyncIterator[Source]:
        yield FixedSource((collection_facts(1, runs),))

    with serving(opened) as url:
        page.open(url)
        page.run(
            "const kept = window.uPlot; window.made = [];"
            "const construct = (made, given) => { window.made.push(new made(...given)); return window.made.at(-1); };"
            "window.uPlot = new Proxy(kept, { construct });"
        )
        page.choose("span", "day")
        page.until("return window.made.length === 3")
        least, most = page.run("return [window.made[0].scales.y.min, window.made[0].scales.y.max]")
        page.driver.get("about:blank")

    assert least <= -20 < 250 <= most


def test_a_collection_leads_to_its_runs_and_evaluations(page: Page, url: str) -> None:
    """From the list to a collection's runs, on to one run's evaluations, and back."""
    everything(page, url)
    run = BUSIEST["runs"][-1]

    page.run("location.hash = arguments[0]", f"#collection={BUSIEST['id']}")
    page.until("return document.querySelector('#drill').open")
    runs = page.run("return [...document.querySelectorAll('#drill td.name a')].map(e => e.hash)")
    page.picture(PICTURES / "collection.png")
    page.run("document.querySelector(arguments[0]).click()", f"#drill a[href$='run={run['id']}']")
    page.until("return document.querySelector('#drill .explanation') !== null")
    shown = page.run("return document.querySelectorAll('#drill tbody tr').length")
    page.picture(PICTURES / "run.png")
    page.driver.back()
    page.until("return document.querySelector('#drill .explanation') === null")

    assert {f"#collection={BUSIEST['id']}&run={each['id']}" for each in BUSIEST["runs"]} == set(runs)
    assert min(100, len(run["evaluations"])) == shown


def test_it_is_dark_where_people_want_it_dark(page: Page, url: str) -> None:
    """The colours follow the system, in the charts too."""
    page.darken()
    everything(page, url)
    page.picture(PICTURES / "dark.png", whole=True)

    red, green, blue = page.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")

    assert max(red, green, blue) < 60


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_fits_a_phone(page: Page, url: str, dark: bool) -> None:
    """Nothing is wider than the screen, but for what scrolls inside its own frame."""
    page.resize(*PHONE)
    if dark:
        page.darken()
    everything(page, url)

    overflow = page.run("return document.documentElement.scrollWidth - innerWidth")
    outside = page.run(
        "return [...document.querySelectorAll('.card td, .card button, .tiles dd')]"
        ".filter(e => !e.closest('.scroll'))"
        ".filter(e => e.scrollWidth > e.clientWidth + 1 || e.getBoundingClientRect().right > innerWidth - 20)"
        ".map(e => e.innerText)"
    )
    page.picture(PICTURES / f"phone-{'dark' if dark else 'light'}.png", whole=True)
    page.resize(*PHONE)
    page.run("location.hash = arguments[0]", f"#collection={BUSIEST['id']}&run={BUSIEST['runs'][0]['id']}")
    page.until("return document.querySelector('#drill').open")
    page.picture(PICTURES / f"phone-run-{'dark' if dark else 'light'}.png")

    assert (0, []) == (max(0, overflow), outside)
    assert page.run("return document.querySelector('#drill').scrollWidth - innerWidth") <= 0


def test_a_keyboard_is_enough(page: Page, url: str) -> None:
    """Tab reaches every control, Enter opens a collection, Escape closes it and gives the focus back."""
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415 - only where a browser is

    everything(page, url)
    page.run("document.activeElement.blur(); window.scrollTo(0, 0)")
    reached = []
    for _ in range(60):
        page.driver.switch_to.active_element.send_keys(Keys.TAB)
        element = "document.activeElement"
        reached.append(page.run(f"return {element}.id || {element}.name || {element}.hash || {element}.tagName"))
        if reached[-1].startswith("#collection="):
            break
    page.picture(PICTURES / "focus.png")
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    page.until("return document.querySelector('#drill').open")
    inside = page.run("return document.querySelector('#drill').contains(document.activeElement)")
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.until("return !document.querySelector('#drill').open")

    assert {"#content", "days", "span", "of", "models"} <= set(reached)
    assert inside
    assert reached[-1] == page.run("return document.activeElement.hash")


def test_an_empty_account_is_a_friendly_page(page: Page) -> None:
    """No chart is drawn of nothing; a sentence says what will be here, and the first run appears by itself."""
    with Sandbox(collections=0) as empty, over(empty) as url:
        page.open(url)
        page.until("return document.querySelector('#status').dataset.status === 'live'")
        said, pictures = page.text("#empty"), page.run("return document.querySelector('#pictures').hidden")
        page.picture(PICTURES / "empty.png")
        empty.add()
        page.until("return document.querySelectorAll('#collections a').length === 1")

    assert said.startswith("No runs yet.")
    assert pictures


def test_hostile_names_are_only_names(page: Page) -> None:
    """What somebody wrote into a name, a model or an explanation is shown letter by letter and never run."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Source]:
        yield FixedSource(hostile_book())

    with serving(opened) as url:
        page.open(url)
        page.choose("days", "")
        page.until("return document.querySelectorAll('.legend button').length === 2")
        page.picture(PICTURES / "hostile.png", whole=True)
        page.run("document.querySelector('#collections a').click()")
        page.until("return document.querySelector('#drill').open")
        title = page.text("#drill-title")
        page.run("location.hash = '#collection=1&run=1'")
        page.until("return document.querySelector('#drill .explanation') !== null")
        told = page.run("return document.querySelector('#drill td.explanation').textContent")
        images = page.run("return document.images.length")

    assert HOSTILE == title
    assert HOSTILE == told
    assert 0 == images
    assert page.run("return window.hacked === undefined")


@pytest.mark.parametrize("size", [PHONE, (1280, 900)], ids=["phone", "screen"])
def test_long_names_break_nothing(page: Page, size: tuple[int, int]) -> None:
    """A name of two hundred letters without a blank fits everywhere, and one run alone stands in the middle."""
    name = "x" * 200
    run = run_facts(1, model=name, alias=name, passed=False, scores={name: 1.0, "faith": 2.0})

    @asynccontextmanager
    async def opened() -> AsyncIterator[Source]:
        yield FixedSource((collection_facts(1, [run], name),))

    page.resize(*size)
    with serving(opened) as url:
        page.open(url)
        page.until("return document.querySelectorAll('.legend button').length === 2")
        overflow = page.run("return document.documentElement.scrollWidth - innerWidth")
        page.picture(PICTURES / f"long-{size[0]}.png", whole=True)
        page.resize(*size)
        page.run("location.hash = '#collection=1'")
        page.until("return document.querySelector('#drill').open")
        inside = page.run("const e = document.querySelector('#drill'); return e.scrollWidth - e.clientWidth")

    assert (0, 0) == (max(0, overflow), max(0, inside))


def test_an_export_is_the_same_page(page: Page, tmp_path: Path) -> None:
    """Over files the tiles and the drill-down are what they are over the service."""
    out = exported(tmp_path / "OUT", 40)

    with serving(partial(ExportSource, out)) as url:
        everything(page, url)
        page.run("location.hash = arguments[0]", f"#collection={BUSIEST['id']}")
        page.until("return document.querySelectorAll('#drill tbody tr').length === arguments[0]", len(BUSIEST["runs"]))
        status, banner = page.text("#status-text"), page.run("return document.querySelector('#banner').hidden")

    assert status.startswith("Export · ")
    assert banner


def test_a_report_is_the_same_page_without_a_server(page: Page, tmp_path: Path) -> None:
    """The file shows the numbers from the disk, with its policy in force and nothing asked of anybody."""
    write_report(exported(tmp_path / "OUT", 40), tmp_path / "report.html")

    everything(page, (tmp_path / "report.html").as_uri())
    page.picture(PICTURES / "report.png", whole=True)
    page.run("location.hash = arguments[0]", f"#collection={BUSIEST['id']}")
    page.until("return document.querySelectorAll('#drill tbody tr').length === arguments[0]", len(BUSIEST["runs"]))

    assert "The first 25 of 40." == page.text("#collections .pager")
    assert page.text("#status-text").startswith("Report · of ")
    assert [] == page.run("return performance.getEntriesByType('resource').map(e => e.name)")


def test_a_report_with_hostile_names_runs_none_of_them(page: Page, tmp_path: Path) -> None:
    """Names that would end the script stay inside the data."""
    from aegis_async.dashboard._report import report_page  # noqa: PLC0415 - of this test alone
    from tests.dashboard.test_dashboard_report import STATE  # noqa: PLC0415 - likewise

    file = tmp_path / "report.html"
    file.write_text(report_page(hostile_book(), STATE), encoding="utf-8")

    page.open(file.as_uri())
    page.run("location.hash = '#collection=1'")
    page.until("return document.querySelector('#drill').open")

    assert HOSTILE == page.text("#drill-title")
    assert page.run("return window.hacked === undefined")
    assert 0 == page.run("return document.images.length")
