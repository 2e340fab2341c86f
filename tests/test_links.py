"""Links lead somewhere: those inside the project to a file and a heading, the others to a host that is known.

Sphinx checks the links between the pages of the site; this is about what is read in the repository too. No network is
asked, so a link to another site is only looked at.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from docs.blocks import pages

ROOT = Path(__file__).parents[1]
FILES = tuple(dict.fromkeys([*pages(), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]))
HOSTS = {"docs.ray.io", "github.com", "keepachangelog.com", "semver.org"}
_LINK = re.compile(r"\]\(([^)\s]+)\)|<(https?://[^>\s]+)>")
_CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def links(file: Path) -> list[str]:
    """Give where the links of a file lead, without those in code."""
    return [one or other for one, other in _LINK.findall(_CODE.sub("", file.read_text(encoding="utf-8")))]


def headings(file: Path) -> set[str]:
    """Give the names that the headings of a file have in links."""
    titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_links_inside_the_project_lead_to_a_file_and_a_heading(file: Path) -> None:
    """Each relative link names a file that is there, and its anchor a heading of that file."""
    inside = [urlsplit(link) for link in links(file) if not urlsplit(link).scheme]

    gone = [link.geturl() for link in inside if not (file.parent / (link.path or file.name)).is_file()]
    anchors = [(file.parent / (link.path or file.name), link.fragment) for link in inside if link.fragment]

    assert [] == gone
    # Headings of what is generated stand in no file.
    assert [] == [(to.name, name) for to, name in anchors if to.suffix == ".md" and name not in headings(to)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_links_to_other_sites_are_https_and_of_known_hosts(file: Path) -> None:
    """A slip in a host's name, and a site that nobody looked at, are noticed without a network."""
    outside = [urlsplit(link) for link in links(file) if urlsplit(link).scheme]
    local = [link for link in outside if link.hostname == "127.0.0.1"]

    assert [] == [link.geturl() for link in outside if link not in local and link.scheme != "https"]
    assert [] == [link.geturl() for link in outside if link not in local and link.hostname not in HOSTS]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_links_can_be_seen(file: Path) -> None:
    """Each link has words of its own: into an empty one Sphinx puts a title, and who reads the file sees nothing."""
    assert "[](" not in _CODE.sub("", file.read_text(encoding="utf-8"))


def test_there_are_links_to_check() -> None:
    """The two tests above look at something."""
    assert len({link for file in FILES for link in links(file)}) > 50
