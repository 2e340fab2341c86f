"""The page's own files: complete, of one piece, and without a way for data to become code."""

import re
from pathlib import Path

import pytest

import aegis_async.dashboard
from aegis_async.dashboard._files import CHARTS, LICENCE, PAGE, SCRIPTS, STYLES, page_files, text_of

STATIC = Path(aegis_async.dashboard.__file__).parent / "static"
_IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "\./(\w+\.js)";$', re.MULTILINE)
_TOP = re.compile(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)


def test_every_file_is_served_and_no_other_is_named() -> None:
    """The table of files is what lies in the folder."""
    there = {path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()}

    assert there == set(page_files())


def test_no_script_reads_data_as_html() -> None:
    """There is no way from a name to an element, a handler or a script."""
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|DOMParser|srcdoc")

    assert [] == [name for name in SCRIPTS if forbidden.search(text_of(name))]


def test_the_page_holds_no_script_or_style_of_its_own() -> None:
    """The policy forbids inline code, so the page may have none."""
    page = text_of(PAGE)

    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", page)
    assert not re.search(r"https?://", page)


def test_modules_stand_behind_what_they_import() -> None:
    """The order of the table is one in which they can be put one after the other."""
    for place, name in enumerate(SCRIPTS):
        imports = _IMPORT.findall(text_of(name))
        assert text_of(name).count("\nimport ") + text_of(name).startswith("import ") == len(imports)
        assert {module for _, module in imports} <= set(SCRIPTS[:place])


def test_every_import_is_exported_there() -> None:
    """A name that a module takes from another is one that it gives."""
    for name in SCRIPTS:
        for names, module in _IMPORT.findall(text_of(name)):
            given = set(re.findall(r"^export (?:async )?(?:function|const|class) (\w+)", text_of(module), re.MULTILINE))
            assert set(names.split(", ")) <= given


def test_no_name_is_defined_twice() -> None:
    """In a report the modules share one scope."""
    names = [found for name in SCRIPTS for found in _TOP.findall(text_of(name))]

    assert sorted(set(names)) == sorted(names)


def colours(text: str) -> dict[str, str]:
    """Give the variables of a part of the style."""
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", text))


def contrast(one: str, other: str) -> float:
    """Give the contrast of two colours.

    Source: Web Content Accessibility Guidelines 2.2, "contrast ratio".
    """
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_what_is_written_can_be_read(dark: bool) -> None:
    """Text has a contrast of 4.5 at least to what it stands on, lines of charts 3, by day and by night."""
    light_part, _, rest = text_of("style.css").partition("@media (prefers-color-scheme: dark)")
    theme = colours(rest.partition("* {")[0]) if dark else colours(light_part)
    texts = [(ink, paper) for ink in ("ink", "soft", "accent", "good-ink", "bad-ink") for paper in ("paper", "card")]
    texts += [("on-accent", "accent"), ("warn-ink", "warn"), ("bad-ink", "alarm"), ("soft", "faint")]
    texts += [("ink", "good"), ("ink", "bad")]

    weak = {pair for pair in texts if contrast(theme[pair[0]], theme[pair[1]]) < 4.5}
    pale = {f"c{i}" for i in range(1, 9) if contrast(theme[f"c{i}"], theme["card"]) < 3}

    assert (set(), set()) == (weak, pale)


def test_the_chart_library_is_whole_and_licensed() -> None:
    """It is shipped as its authors publish it, with their licence beside it."""
    assert text_of(CHARTS).startswith("/*! https://github.com/leeoniya/uPlot (v1.6.32) */")
    assert "MIT License" in text_of(LICENCE)
    assert "</script" not in text_of(CHARTS)
    assert {"vendor/uplot.css", "style.css"} == set(STYLES)
