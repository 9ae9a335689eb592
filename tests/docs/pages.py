"""The pages of the documentation, taken apart.

Conventions, which the tests of this folder hold the pages to:

- the ```python blocks of a page run one after the other, in one namespace and with one database;
- ```python title="myshop/adapter.py" is a file: it is written, and can be imported from then on;
  a title that ends with settings.py stands at the end of the project's settings, one with urls.py of its URLs;
- ```console shows commands behind `$ ` and what they print; `…` stands for anything;
- <!-- not run: why --> on the line before a block leaves it out.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(
    r"(?:^<!-- not run:(?P<why>[^\n]*)-->\n)?"
    r'^```(?P<language>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$',
    re.DOTALL | re.MULTILINE,
)
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(?P<words>.+?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block. `why_not_run` is None for a block that runs."""

    page: Path
    line: int
    language: str
    title: str
    text: str
    why_not_run: str | None

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Shown:
    """A command of a console block, with what the page says that it prints."""

    command: str
    output: str


def pages() -> list[Path]:
    top = [ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    return [*top, *sorted((ROOT / "docs").rglob("*.md"))]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> list[Block]:
    text = page.read_text()
    return [
        Block(
            page,
            text.count("\n", 0, found.start("text")) + 1,
            found["language"],
            found["title"] or "",
            found["text"],
            None if found["why"] is None else found["why"].strip(),
        )
        for found in FENCE.finditer(text)
    ]


def shown(block: Block) -> Iterator[Shown]:
    """The commands of a console block; a backslash or an open quote at a line's end goes on in the next."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        length = next(n for n in range(1, len(lines) + 1) if is_whole(lines[:n]))
        yield Shown("\n".join(lines[:length]).replace("\\\n", " "), "\n".join(lines[length:]).strip())


def is_whole(lines: list[str]) -> bool:
    try:
        shlex.split("\n".join(lines), comments=True)
    except ValueError:
        return False
    return not lines[-1].endswith("\\")


def prose(page: Path) -> str:
    """The page without its blocks."""
    return FENCE.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """Of the headings, as the usual renderers of Markdown name them."""
    found: set[str] = set()
    for heading in HEADING.finditer(prose(page)):
        words = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading["words"]).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(slug)
    return found


def agrees(expected: str, printed: str) -> bool:
    """Whether what was printed is what the page shows; `…` stands for anything."""
    pattern = re.escape(expected.strip()).replace("…", ".*")
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None
