"""Chromium as the tests and the pictures of the docs drive it: headless, with nothing of an earlier run."""

import base64
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from tests.missing import missing

__all__ = ["PHONE", "Page", "browsing"]

_FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--lang=en",
)
PHONE: Final = (390, 844)
_PATIENCE: Final = 20.0  # seconds after which what was waited for is a failure


class Page:
    """One tab.

    Args:
        driver: Selenium's.
    """

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        """Go to an address and wait until its numbers are drawn."""
        self.driver.get(url)
        self.until("return document.documentElement.dataset.ready !== undefined")

    def run(self, script: str, *args: object) -> Any:
        """Give what a script returns."""
        return self.driver.execute_script(script, *args)

    def until(self, script: str, *args: object) -> Any:
        """Wait until a script returns something true, and give that."""
        from selenium.webdriver.support.wait import WebDriverWait  # noqa: PLC0415 - only where a browser is

        wait: Callable[..., Any] = WebDriverWait(self.driver, _PATIENCE, poll_frequency=0.05).until
        return wait(lambda _: self.run(script, *args), f"never came true: {script}")

    def text(self, selector: str) -> str:
        """Give the visible text of an element."""
        return str(self.run("return document.querySelector(arguments[0]).innerText", selector))

    def tiles(self) -> dict[str, str]:
        """Give the tiles: name to value."""
        script = "return [...document.querySelectorAll('#tiles > div')].map(t => [...t.children].map(c => c.innerText))"
        return {name: value for name, value, _ in self.run(script)}

    def choose(self, name: str, value: str) -> None:
        """Choose a value of a group of radio buttons or of a list, as a person does, and wait for its numbers."""
        self.run(
            "const e = document.querySelector(`input[name=${arguments[0]}][value='${arguments[1]}']`);"
            "if (e) e.click(); else { const s = document.querySelector(`select[name=${arguments[0]}]`);"
            "s.value = arguments[1]; s.dispatchEvent(new Event('change', {bubbles: true})); }",
            name,
            value,
        )

    def resize(self, width: int, height: int) -> None:
        """Be a screen of so many pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def darken(self) -> None:
        """Prefer dark colours."""
        features = [{"name": "prefers-color-scheme", "value": "dark"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def picture(self, file: Path, *, whole: bool = False) -> None:
        """Keep a picture of what is seen, or of the whole page."""
        self.run("return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        if whole:
            width, height = self.run("return [innerWidth, document.documentElement.scrollHeight]")
            self.resize(width, height)
        taken = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(taken["data"]))

    def complaints(self) -> list[str]:
        """Give what stands in the console since the last look."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser")]


@contextmanager
def browsing() -> Iterator[Page]:
    """Open a tab while this lasts; without Chromium, skip, but fail where checks must be complete."""
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        missing("chromium and chromedriver", "chromium chromium-driver")
    from selenium import webdriver  # noqa: PLC0415 - only where a browser is

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # A browser that was just ended may still be writing into its folder.
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(chromedriver))
        try:
            page = Page(driver)
            page.resize(1280, 900)
            yield page
        finally:
            driver.quit()
