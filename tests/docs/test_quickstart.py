"""The quickstart, to the letter: a fresh project, its files, its commands, and what they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import django
import pytest

from tests.docs.pages import ROOT, Block, agrees, blocks, shown

PAGE = ROOT / "docs" / "quickstart.md"
SHELL = "python manage.py shell"
ORDERS = "orders/models.py"

pytestmark = pytest.mark.slow


@dataclass
class Reader:
    """Does what the page says, in a project of their own. This environment stands for what pip would install."""

    folder: Path
    done: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """The shop that the page supposes: a project with one app."""
        self.run("python -m django startproject myshop .")
        self.run("python -m django startapp orders")
        self.append("myshop/settings.py", 'INSTALLED_APPS += ["orders"]\n')

    def follow(self, block: Block) -> None:
        name, _space, only_on = block.title.partition(" (Django ")
        if only_on and not django.get_version().startswith(only_on.rstrip(")")):
            return
        if block.language == "console":
            self.type(block)
        elif name == SHELL:
            self.run("python manage.py shell --verbosity 0 --command", block.text)
        else:
            self.write(name, block.text)

    def type(self, block: Block) -> None:
        for one in shown(block):
            if not one.command.startswith("pip "):  # it is here already, and the tests have no network
                printed = self.run(one.command)
                assert not one.output or agrees(one.output, printed), f"{block.place}: {one.command}\n{printed}"

    def write(self, name: str, text: str) -> None:
        if name != ORDERS:
            self.append(name, text)
            return
        (self.folder / name).write_text(text)
        self.run("python manage.py makemigrations orders")

    def append(self, name: str, text: str) -> None:
        with (self.folder / name).open("a") as file:
            file.write(f"\n{text}")

    def run(self, line: str, last: str = "") -> str:
        words = [sys.executable if word == "python" else word for word in line.split()]
        done = subprocess.run(
            [*words, *([last] if last else [])],
            cwd=self.folder,
            env=surroundings(),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        self.done.append(line)
        return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)


def surroundings() -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "COV", "PYTEST"))}
    return {**kept, "PYTHONPATH": str(ROOT)}


def test_the_quickstart_leads_from_an_empty_project_to_the_first_incident(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    reader.begin()

    for block in blocks(PAGE):
        reader.follow(block)

    assert reader.done.count("python manage.py statusbreaks_tick") == 3
