"""What the pages say besides code: links, commands, and reasons for what is not run."""

from __future__ import annotations

import shlex
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, get_commands, load_command_class

from tests.docs.pages import LINK, ROOT, Block, anchors, blocks, name_of, pages, prose, shown

OF_MANAGE_PY = {"test": None, "bench": None}  # understood by manage.py itself
BLOCKS = [block for page in pages() for block in blocks(page)]
COMMANDS = [
    (block, one.command)
    for block in BLOCKS
    if block.language == "console"
    for one in shown(block)
    if "manage.py" in one.command
]


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = [target for found in LINK.finditer(prose(page)) if not leads_somewhere(page, target := found["target"])]

    assert lost == []


def leads_somewhere(page: Path, target: str) -> bool:
    parts = urlsplit(target)
    if parts.scheme:
        return parts.scheme in ("https", "mailto")
    there = (page.parent / parts.path).resolve() if parts.path else page
    if not there.exists() or ROOT not in there.parents:
        return False
    return not parts.fragment or parts.fragment in anchors(there)


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=name_of)
def test_every_page_is_reached_from_the_index(page: Path) -> None:
    index = ROOT / "docs" / "index.md"
    listed = {(index.parent / urlsplit(found["target"]).path).resolve() for found in LINK.finditer(prose(index))}

    assert page == index or page in listed


def test_what_is_not_run_says_why() -> None:
    silent = [block.place for block in BLOCKS if block.why_not_run is not None and len(block.why_not_run) < 10]

    assert silent == []


@pytest.mark.parametrize(("block", "command"), COMMANDS, ids=[f"{b.place} {c}" for b, c in COMMANDS])
def test_a_command_that_is_shown_exists_with_its_options(block: Block, command: str) -> None:
    words = shlex.split(command, comments=True)
    name, *arguments = words[words.index("manage.py") + 1 :]
    if name in OF_MANAGE_PY:
        return

    assert name in get_commands(), block.place
    assert unknown_options(name, arguments) == []


def unknown_options(name: str, arguments: list[str]) -> list[str]:
    app = get_commands()[name]
    command = load_command_class(app, name) if isinstance(app, str) else app
    try:
        return command.create_parser("manage.py", name).parse_known_args(arguments)[1]
    except CommandError as error:
        return [str(error)]
