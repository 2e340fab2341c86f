"""The report is one file that asks nobody anything, and hostile names in the data stay names."""

import base64
import hashlib
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_async.dashboard._report import DAYS, inlined, report_page, write_report
from aegis_async.dashboard._source import State
from aegis_async.errors import InvalidArgumentError
from tests.dashboard.serving import collection_facts, run_facts
from tests.dashboard.test_dashboard_exported import exported

HOSTILE = "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>\u2028'\"&amp;"
STATE = msgspec.to_builtins(State("export", "export-1", 3.0, None, None, 1, 0, None))


class Elements(HTMLParser):
    """Collects the elements of a page, and what its scripts hold."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._raw = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.found.append((tag, dict(attrs)))
        self._raw = tag in {"script", "style"}
        if self._raw:
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        """Leave a script."""
        self._raw = self._raw and tag not in {"script", "style"}

    def handle_data(self, data: str) -> None:
        """Collect a script."""
        if self._raw:
            self.texts[-1] += data


def page(name: str = "Support QA") -> str:
    """Give the report of an account whose every name is ``name``."""
    run = run_facts(1, model=name, alias=name, passed=False, scores={name: 1.0})
    return report_page((collection_facts(1, [run], name),), STATE)


@given(text=st.text() | st.just(HOSTILE))
def test_inlined_data_ends_no_script(text: str) -> None:
    """Whatever a text holds, it stands inside its script element and reads back as it was."""
    data = inlined({text: text})

    assert not set("<>&\u2028\u2029") & set(data)
    assert {text: text} == json.loads(data)


def test_a_hostile_name_makes_no_element() -> None:
    """The page of an account with hostile names has the elements of the page of one without."""
    tame, hostile = (Elements(page(name)).found for name in ("Support QA", HOSTILE))

    assert [tag for tag, _ in tame] == [tag for tag, _ in hostile]
    assert "alert(1)</script>" not in page(HOSTILE)


def test_only_the_report_s_own_script_may_run() -> None:
    """The policy names the digests of the script and the style, and allows nothing else."""
    elements = Elements(page(HOSTILE))
    policy = next(a["content"] or "" for tag, a in elements.found if tag == "meta" and "http-equiv" in a)
    style, _data, script = elements.texts

    assert policy.startswith("default-src 'none'; ")
    for text in (style, script):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_it_asks_nobody() -> None:
    """No element loads a file; the licence of the charts goes along."""
    text = page()

    assert not [a for tag, a in Elements(text).found if tag != "a" and ({"src", "href"} & set(a))]
    assert "Permission is hereby granted" in text
    assert not re.search(r"^(import|export) ", text, re.MULTILINE)


def test_it_holds_every_period_that_the_page_offers() -> None:
    """Each choice of the page has its answer in the file."""
    data = json.loads(Elements(page()).texts[1])
    offered = set(re.findall(r'name="days" value="(\d*)"', page()))

    assert offered == {"" if days is None else str(days) for days in DAYS}
    assert {"api/overview?", "api/overview?days=7&span=week", "api/below?page=1&days=30"} <= set(data)
    assert {"api/health", "api/collections?page=1&search=", "api/collections/1"} <= set(data)


def test_the_file_appears_whole(tmp_path: Path) -> None:
    """A report over an export is written at once, and replaces an earlier one."""
    out = exported(tmp_path / "OUT", 3)
    file = tmp_path / "report.html"
    file.write_text("earlier")

    write_report(out, file)

    data = json.loads(Elements(file.read_text(encoding="utf-8")).texts[1])
    assert 3 == data["api/overview?"]["collections"]
    assert ["report.html"] == [each.name for each in tmp_path.iterdir() if each.is_file()]


@pytest.mark.parametrize("file", ["", ".", "/", "folder", os.devnull])
def test_a_report_replaces_nothing_but_a_file(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder and a device stay what they are, and are named before anything is read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()

    with pytest.raises(InvalidArgumentError, match="^file must be a new file or one to replace, not "):
        write_report("NO_EXPORT", file)

    assert ["folder"] == [each.name for each in tmp_path.iterdir()]


def test_a_report_of_nothing_is_refused(tmp_path: Path) -> None:
    """Without an export there is no file."""
    with pytest.raises(InvalidArgumentError, match="out must be the folder of a finished export"):
        write_report(tmp_path, tmp_path / "report.html")

    assert [] == list(tmp_path.iterdir())
