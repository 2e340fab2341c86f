"""The pages for programs that read: ``llms.txt``, a list of them, and each page as Markdown beside its HTML."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

__all__ = ["index", "write"]

_TREE: Final = re.compile(r"```\{toctree\}\n(?::caption: ([^\n]+)\n)?(?::\w+:\n)+\n(.*?)```", re.DOTALL)
_LINK: Final = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_FENCED: Final = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_DIRECTIVE: Final = re.compile(r"\n```\{toctree\}.*?\n```\n", re.DOTALL)
_INCLUDED: Final = re.compile(r"^```\{literalinclude\} (\S+)\n:language: (\w+)\n```$", re.MULTILINE)
_PICTURE: Final = re.compile(r"(\]\()[\w./-]*?([\w-]+\.(?:svg|png)\))")  # Sphinx puts all of them into one folder


def index(docs: Path) -> str:
    """Give the list: every page below the caption that it has in the index, with its first paragraph."""
    text = (docs / "index.md").read_text(encoding="utf-8")
    title, about = _opening(text)
    parts = "\n".join(_part(docs, *found) for found in _TREE.findall(text))
    return f"# {title}\n\n> {about}\n\n{parts}"


def write(docs: Path, out: Path, fill: Callable[[str], str]) -> None:
    """Write the list and the pages into the folder of the site."""
    (out / "llms.txt").write_text(index(docs), encoding="utf-8")
    for page in (path for path in docs.rglob("*.md") if "_build" not in path.parts):
        file = out / page.relative_to(docs)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_plain(page, docs, fill(page.read_text(encoding="utf-8"))), encoding="utf-8")


def _plain(page: Path, docs: Path, text: str) -> str:
    """Give a page without what only Sphinx understands."""

    def code(found: re.Match[str]) -> str:
        return f"```{found[2]}\n{(page.parent / found[1]).read_text(encoding='utf-8')}```"

    pictures = "../" * (len(page.relative_to(docs).parts) - 1) + "_images/"
    return _PICTURE.sub(rf"\g<1>{pictures}\2", _INCLUDED.sub(code, _DIRECTIVE.sub("", text)))


def _part(docs: Path, caption: str, names: str) -> str:
    return "\n".join([f"## {caption or 'Start'}", "", *_lines(docs, names.split()), ""])


def _lines(docs: Path, names: list[str]) -> Iterator[str]:
    for name in names:
        title, about = _opening((docs / f"{name}.md").read_text(encoding="utf-8"))
        yield f"- [{title}]({name}.md): {about}"
    if "reference/index" in names:
        for page in sorted((docs / "reference").glob("*.rst")):
            yield f"- [{page.stem}](reference/{page.stem}.html): the public names of that module"


def _opening(text: str) -> tuple[str, str]:
    """Give a page's title and its first paragraph in one line, without links."""
    title, _, rest = text.removeprefix("# ").partition("\n")
    parts = (part for part in _FENCED.sub("", rest).split("\n\n") if part.strip())
    paragraphs = (part for part in parts if part.lstrip()[0] not in "#<|!")
    return title, " ".join(_LINK.sub(r"\1", next(paragraphs, "")).split())
